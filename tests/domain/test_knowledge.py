"""The state between checks: the last good answers stand until there are better ones."""

import json
from dataclasses import replace
from datetime import date, timedelta

import pytest

from domain.examples import NOW, cases, feed, minor, patch, update, user, version
from mastodon_update_check.domain.feeds import Feed
from mastodon_update_check.domain.notices import SupportNotice, SupportStage
from mastodon_update_check.domain.recipients import Preference
from mastodon_update_check.domain.server.problems import CheckDay
from mastodon_update_check.domain.server.state import ServerState

INSTALLED = version("4.5.19")
LATER = NOW + timedelta(minutes=30)
KNOWN = ServerState(
    checked_at=NOW,
    good_at=NOW,
    installed=INSTALLED,
    tree=INSTALLED,
    running=INSTALLED,
    updates=(patch("4.5.20"), minor("4.6.9")),
    support_ends_on=date(2027, 2, 20),
)


def test_good_check_ends_an_outage() -> None:
    """After a good check only the outage's beginning and end are left; what is known is what was answered."""
    began = LATER - timedelta(hours=7)
    failing = replace(KNOWN, failing_since=began, failures=7, cause="dns", detail="no address", warnings=("old",))
    after = failing.succeeded(LATER, INSTALLED, feed(patch("4.5.21", urgent=True)), ("new",))
    expected = replace(
        KNOWN,
        checked_at=LATER,
        good_at=LATER,
        warnings=("new",),
        updates=(patch("4.5.21", urgent=True),),
        outage_started_at=began,
        outage_ended_at=LATER,
        days=(CheckDay(date=LATER.date(), successful=1),),
        seen_versions=((LATER, "4.5.21"),),
    )
    assert after == expected


@cases(
    "answer updates",
    ("checking is off: what is known stands", None, KNOWN.updates),
    ("no list is not an answer", Feed(updates=(), is_complete=False), KNOWN.updates),
    ("an empty list is one", feed(), ()),
    ("what is newer, with its type", feed(update("4.5.18"), update("4.6.9")), (minor("4.6.9"),)),
    (
        "an answer that was read in part takes nothing away",
        feed(patch("4.5.20", urgent=True), is_complete=False),
        (patch("4.5.20", urgent=True), minor("4.6.9")),
    ),
)
def test_updates_after_a_good_check(answer: Feed | None, updates: tuple[object, ...]) -> None:
    """The last answer counts, so far as it is one."""
    assert KNOWN.succeeded(LATER, INSTALLED, answer, ()).updates == updates


@cases(
    "installed answered ends_on",
    ("no date is not an answer", "4.5.20", None, date(2027, 2, 20)),
    ("a date that moved", "4.5.20", date(2027, 3, 1), date(2027, 3, 1)),
    ("another branch, whose date is not known", "4.6.9", None, None),
    ("another branch, whose date is", "4.6.9", date(2028, 1, 1), date(2028, 1, 1)),
)
def test_support_date(installed: str, answered: date | None, ends_on: date | None) -> None:
    """The date belongs to the branch that runs."""
    assert KNOWN.succeeded(LATER, version(installed), feed(ends_on=answered), ()).support_ends_on == ends_on


def test_failed_checks_are_counted_from_the_first() -> None:
    """An outage begins with its first failed check; the last good answers stand, the reason is the last one's."""
    first = replace(KNOWN, warnings=("old",)).failed(LATER, "dns", "no address", None)
    second = first.failed(LATER + timedelta(minutes=30), "tls", "certificate verify failed", version("4.5.20"))
    day = CheckDay(date=LATER.date(), failed=1)
    failed = replace(KNOWN, checked_at=LATER, failing_since=LATER, failures=1, cause="dns", detail="no address")
    assert first == replace(failed, days=(day,))
    assert (LATER, 2, "tls", "certificate verify failed", NOW, version("4.5.20"), KNOWN.updates) == (
        second.failing_since,
        second.failures,
        second.cause,
        second.detail,
        second.good_at,
        second.installed,
        second.updates,
    )


def test_an_outage_from_a_wrong_clock() -> None:
    """It began while the clock was a year ahead: it counts from now on."""
    ahead = KNOWN.failed(LATER + timedelta(days=365), "dns", "no address", None)
    assert ahead.failed(LATER, "dns", "no address", None).failing_since == LATER


def test_failed_check_after_an_upgrade() -> None:
    """A check that fails, on another branch than before, does not keep the old branch's date."""
    after = KNOWN.failed(LATER, "dns", "no address", version("4.6.9"))
    assert (after.support_ends_on, after.support_at(LATER), after.pending()) == (None, None, ())


def test_pending_updates_are_newer_than_the_running_version() -> None:
    """An update that has been installed since the last answer is not pending."""
    assert KNOWN.updates == KNOWN.pending()
    assert (minor("4.6.9"),) == KNOWN.running_on(version("4.5.20")).pending()
    assert ServerState(updates=KNOWN.updates).pending() == ()


@cases(
    "known expected",
    (KNOWN, SupportNotice(branch="4.5", ends_on=date(2027, 2, 20), stage=SupportStage.THREE_MONTHS)),
    (replace(KNOWN, support_ends_on=date(2029, 1, 1)), None),
    (replace(KNOWN, support_ends_on=None), None),
    (replace(KNOWN, installed=None), None),
)
def test_support_as_far_as_is_known(known: ServerState, expected: SupportNotice | None) -> None:
    """The stage follows from the date and the instant."""
    assert known.support_at(NOW) == expected


@pytest.mark.parametrize(
    "known",
    [
        ServerState(),
        KNOWN,
        replace(KNOWN, failing_since=NOW, failures=3, cause="dns", detail="no address", warnings=("one", "two")),
        replace(KNOWN, running=version("4.5.18+glitch"), differs_since=NOW),
        replace(KNOWN, outage_started_at=NOW, outage_ended_at=LATER),
        replace(KNOWN, devops=(user(1, Preference.CRITICAL, role="Owner", wants_support=False), user(2))),
    ],
)
def test_round_trip_through_the_ledger(known: ServerState) -> None:
    """All of it comes back from JSON as it was, down to the spelling of versions."""
    read = ServerState.from_json(json.loads(json.dumps(known.to_json())))
    assert (known, known.to_json()) == (read, read.to_json())


def test_names_of_other_versions_are_passed_over() -> None:
    """An earlier version of this program reads the state of a later one."""
    assert ServerState.from_json({**KNOWN.to_json(), "of_tomorrow": [1, 2]}) == KNOWN
    data = replace(KNOWN, devops=(user(),)).to_json()
    data["devops"][0]["of_tomorrow"] = 1
    assert (user(),) == ServerState.from_json(data).devops


def test_an_outage_from_a_clock_that_was_behind() -> None:
    """The machine began with the time of long ago: nothing has failed since before the last good check."""
    behind = KNOWN.failed(NOW - timedelta(days=3650), "tls", "not valid yet", None)
    assert behind.failed(LATER, "dns", "no address", None).failing_since == LATER


def test_a_short_failure_keeps_the_recovery_of_an_outage() -> None:
    """It had no notice, and the end of the outage before may not have been delivered yet."""
    hour = timedelta(hours=1)
    long = KNOWN.failed(LATER, "dns", "no address", None).failed(LATER + 7 * hour, "dns", "no address", None)
    over = long.succeeded(LATER + 8 * hour, INSTALLED, None, ())
    again = over.failed(LATER + 9 * hour, "dns", "no address", None).succeeded(LATER + 10 * hour, INSTALLED, None, ())
    slept = again.failed(LATER + 11 * hour, "dns", "no address", None).succeeded(LATER + 99 * hour, INSTALLED, None, ())
    assert [(LATER, LATER + 8 * hour)] * 3 == [
        (known.outage_started_at, known.outage_ended_at) for known in (over, again, slept)
    ]
