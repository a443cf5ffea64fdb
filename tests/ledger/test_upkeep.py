"""Deleted and kept rows: the ledger stays small, and no notice is lost or repeated."""

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from ledger.examples import ALICE, BOB, DAY, HOOK, INSTANCE, NOW, SECOND, SINKS, YEAR, facts, update
from ledger.locations import query
from ledger.steps import accept, defer, find_attempt, refuse, replan, states, take
from mastodon_update_check.domain.outbox import DeliveryState
from mastodon_update_check.domain.recipients import FollowUps
from mastodon_update_check.domain.server.state import ServerState
from mastodon_update_check.ledger.ledger import Ledger
from mastodon_update_check.ledger.location import Location
from mastodon_update_check.ledger.rows import KEPT
from mastodon_update_check.ledger.sqlite import SqliteLocation

PATCH = update("4.5.1")
OTHER = update("4.5.2")
PEOPLE = tuple(replace(ALICE, key=f"user:{n}", address=f"user{n}@social.example", name=f"user{n}") for n in range(5))


def prune(ledger: Ledger, now: datetime) -> None:
    """Do what every check does at its end."""
    with ledger.writing() as transaction:
        transaction.keep_state(ServerState(), now)


def count(place: Location, table: str) -> int:
    """Return how many rows a table has."""
    ((number,),) = query(place, f"SELECT count(*) FROM {table}")  # noqa: S608 - a name of our own
    assert isinstance(number, int)
    return number


def test_attempts_are_dropped_after_ninety_days(ledger: Ledger, place: Location) -> None:
    """Sent rows and open attempts are kept."""
    replan(ledger, facts(PATCH, to=(ALICE, BOB)))
    accept(ledger, take(ledger))
    take(ledger)
    for now, attempts in ((NOW + KEPT, 2), (NOW + KEPT + SECOND, 1)):
        prune(ledger, now)
        assert attempts == count(place, "attempt")

    assert DeliveryState.SENT in states(ledger, PATCH).values()
    assert replan(ledger, facts(PATCH, to=(ALICE, BOB), now=NOW + 2 * KEPT)).messages == ()


def test_message_that_may_have_arrived_keeps_its_id(ledger: Ledger) -> None:
    """A lost reply, and a release that returns after a year: the repeat has the same id."""
    first = replan(ledger, facts(PATCH)).messages[0].id
    defer(ledger, take(ledger))
    replan(ledger, facts(now=NOW + DAY))
    for days in range(2, 400, 20):
        prune(ledger, NOW + days * DAY)
    again = replan(ledger, facts(PATCH, OTHER, now=NOW + YEAR)).messages

    assert first in [message.id for message in again]


def test_a_message_that_is_tried_every_day(ledger: Ledger, place: Location) -> None:
    """Its old attempts go; what they carried is remembered by later ones."""
    replan(ledger, facts(PATCH))
    now = NOW
    for _ in range(30):
        defer(ledger, take(ledger, now), now)
        now += 10 * DAY
        prune(ledger, now)

    assert count(place, "attempt") == 9


def test_a_refusal_is_shown_for_as_long_as_it_stands(ledger: Ledger) -> None:
    """A receiver that asked never to be tried again (HTTP 410) is still quoted after a year."""
    replan(ledger, facts(PATCH, to=(HOOK,)))
    refuse(ledger, take(ledger, sink="webhook"), sink_wide=True)
    prune(ledger, NOW + YEAR)

    assert [failure.reply for failure in ledger.summary(NOW + YEAR, SINKS).latest] == ["no such user"]


@pytest.mark.parametrize("is_refused", [False, True])
def test_cancelled_rows_are_deleted(ledger: Ledger, place: Location, *, is_refused: bool) -> None:
    """After ninety days its rows are deleted; if it is wanted again, it is planned as new."""
    first = replan(ledger, facts(PATCH)).messages
    if is_refused:
        refuse(ledger, take(ledger))
    replan(ledger, facts(now=NOW + DAY))
    prune(ledger, NOW + DAY + KEPT)
    assert [count(place, table) for table in ("delivery", "message")] == [1, 1]
    prune(ledger, NOW + 2 * DAY + KEPT)
    assert [count(place, table) for table in ("delivery", "message")] == [0, 0]

    again = replan(ledger, facts(PATCH, now=NOW + YEAR)).messages
    assert [one.id for one in first] == [one.id for one in again]
    accept(ledger, take(ledger, NOW + YEAR), NOW + YEAR)


def steps_of_a_check(path: Path, now: datetime, installed: str) -> int:
    """Return how many steps SQLite takes for a check that finds nothing new, in tens."""
    session = SqliteLocation(path).open(verify=False)
    counted = 0

    def count_on() -> int:
        nonlocal counted
        counted += 1
        return 0

    session.connection.set_progress_handler(count_on, 10)
    with Ledger(session, INSTANCE) as ledger:
        ledger.summary(now, SINKS)
        with ledger.reading() as view:
            view.unclosed_subjects(FollowUps.URGENT)
        replan(ledger, facts(to=PEOPLE, installed=installed, now=now))
        prune(ledger, now)
        find_attempt(ledger, now)
    return counted


@pytest.mark.parametrize("place", ["sqlite"], indirect=True)
def test_a_year(ledger: Ledger, place: Location, path: Path) -> None:
    """A release a week, installed three days later, delivered to five recipients: only the sent notices remain.

    One check a day instead of 48: a check that finds nothing new only writes down that it was made. `make bench`
    measures ten whole years. A check has no more to do at the end than after a month.
    """
    steps = []
    for day in range(365):
        now = NOW + timedelta(days=day)
        week, weekday = divmod(day, 7)
        is_installed = weekday > 2
        listed = () if is_installed else (update(f"4.5.{week + 1}"),)
        replan(ledger, facts(*listed, to=PEOPLE, installed=f"4.5.{week + is_installed}", now=now))
        while (attempt := find_attempt(ledger, now)) is not None:
            accept(ledger, attempt, now)
        prune(ledger, now)
        if weekday == 6:
            steps.append(steps_of_a_check(path, now, f"4.5.{week + 1}"))

    sent = 53 * len(PEOPLE)
    assert (sent, sent) == (count(place, "delivery"), count(place, "message"))
    assert count(place, "attempt") <= (KEPT.days // 7 + 1) * len(PEOPLE)
    assert path.stat().st_size < 1_000_000
    assert max(steps[4:]) <= 1.5 * steps[3]
