"""What reminders and words of closure need of the ledger."""

from datetime import datetime

import pytest

from ledger.examples import ALICE, BOB, DAY, HOOK, INSTANCE, NOW, YEAR, accept, facts, replan, states, take, update
from ledger.places import query
from mastodon_update_check.domain.notices import ReminderNotice
from mastodon_update_check.domain.recipients import FollowUps
from mastodon_update_check.ledger.engine import Place
from mastodon_update_check.ledger.ledger import Ledger

URGENT, PLAIN = update("4.5.2", urgent=True), update("4.5.1")


def told_at(ledger: Ledger) -> dict[str, datetime | None]:
    """Return when each row about URGENT was accepted."""
    return {row.identity: row.told_at for row in ledger.deliveries(INSTANCE, ["update/4.5.2"], NOW)}


def test_when_it_was_told(ledger: Ledger) -> None:
    """The instant of the acceptance, not of the plan; none before."""
    replan(ledger, facts(URGENT))
    assert {"update/4.5.2/urgent": None} == told_at(ledger)
    accept(ledger, take(ledger), NOW + DAY)
    assert {"update/4.5.2/urgent": NOW + DAY} == told_at(ledger)


def test_accepted_before_it_was_planned(ledger: Ledger) -> None:
    """A clock that fell back between the two is not believed."""
    replan(ledger, facts(URGENT))
    accept(ledger, take(ledger), NOW - YEAR)
    assert {"update/4.5.2/urgent": NOW} == told_at(ledger)


def test_accepted_in_the_future(ledger: Ledger) -> None:
    """A clock that was ahead then is corrected by the next check: reminders count from it."""
    replan(ledger, facts(URGENT, now=NOW + YEAR))
    accept(ledger, take(ledger, NOW + YEAR), NOW + YEAR)
    replan(ledger, facts(URGENT, follow_ups=FollowUps.URGENT))
    assert {"update/4.5.2/urgent": NOW} == told_at(ledger)
    made = replan(ledger, facts(URGENT, now=NOW + DAY, follow_ups=FollowUps.URGENT))
    assert {"update/4.5.2/urgent": NOW, "update/4.5.2/urgent/reminder/1": None} == told_at(ledger)
    assert 1 == len(made.messages)


@pytest.mark.parametrize(
    ("mode", "subjects"),
    [
        (FollowUps.NONE, set()),
        (FollowUps.URGENT, {"update/4.5.2"}),
        (FollowUps.ALL, {"update/4.5.1", "update/4.5.2"}),
    ],
)
def test_what_was_never_closed(ledger: Ledger, mode: FollowUps, subjects: set[str]) -> None:
    """Urgent updates that were told; with `all` also others that were told elsewhere than by mail."""
    replan(ledger, facts(URGENT, PLAIN, to=(ALICE, HOOK)))
    assert frozenset() == ledger.unclosed_subjects(INSTANCE, mode)
    accept(ledger, take(ledger))
    accept(ledger, take(ledger, sink="webhook"))
    assert subjects == ledger.unclosed_subjects(INSTANCE, mode)
    assert frozenset() == ledger.unclosed_subjects("other.example", mode)


def test_what_was_marked_as_told(ledger: Ledger) -> None:
    """Whoever was never sent anything is neither reminded nor told of the end."""
    replan(ledger, facts(URGENT))
    with ledger.writing() as book:
        book.mark_told(INSTANCE, NOW)
    assert {"update/4.5.2/urgent": None} == told_at(ledger)
    assert frozenset() == ledger.unclosed_subjects(INSTANCE, FollowUps.ALL)
    for known in (
        facts(URGENT, now=NOW + DAY, follow_ups=FollowUps.ALL),
        facts(installed="4.5.2", follow_ups=FollowUps.ALL),
    ):
        assert () == replan(ledger, known).messages


def test_mail_alone_is_no_reason_to_look_for_plain_ones(ledger: Ledger) -> None:
    """What was told by mail as not urgent has no closure, so its rows need not be read for ever."""
    replan(ledger, facts(PLAIN))
    accept(ledger, take(ledger))
    assert frozenset() == ledger.unclosed_subjects(INSTANCE, FollowUps.ALL)


def test_closed_once_everybody_heard(ledger: Ledger) -> None:
    """A check finds it unclosed until each who was told has been told that, though it is listed no more."""
    replan(ledger, facts(URGENT, to=(ALICE, BOB)))
    accept(ledger, take(ledger))
    accept(ledger, take(ledger))
    known = facts(to=(ALICE, BOB), installed="4.5.2", follow_ups=FollowUps.URGENT)
    assert 2 == len(replan(ledger, known).messages)
    accept(ledger, take(ledger))
    assert {"update/4.5.2"} == ledger.unclosed_subjects(INSTANCE, FollowUps.URGENT)
    accept(ledger, take(ledger))
    assert frozenset() == ledger.unclosed_subjects(INSTANCE, FollowUps.URGENT)
    assert () == replan(ledger, known).messages
    assert {("user:1", "update/4.5.2/installed"), ("user:2", "update/4.5.2/installed")} <= states(ledger, URGENT).keys()


def test_told_notices_are_read_back(ledger: Ledger, place: Place) -> None:
    """A reminder keeps its update, its number and the instant it counts from."""
    replan(ledger, facts(URGENT))
    accept(ledger, take(ledger))
    replan(ledger, facts(URGENT, now=NOW + DAY, follow_ups=FollowUps.URGENT))
    claim = take(ledger, NOW + DAY)
    (notice,) = claim.notices
    assert isinstance(notice, ReminderNotice)
    assert ("4.5.2", True, 1, NOW) == (
        str(notice.update.version),
        notice.update.urgent,
        notice.number,
        notice.told_at,
    )
    (kept,) = query(place, "SELECT notice FROM delivery WHERE identity LIKE '%/reminder/1'")
    assert '"kind": "reminder"' in str(kept[0])
