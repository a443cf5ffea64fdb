"""When a failure has lasted long enough for a notice, how often notices are repeated, and checks counted by day."""

from datetime import date, datetime, timedelta

import pytest

from domain.examples import NOW, cases, days
from mastodon_update_check.domain.notices import CheckFailingNotice, CheckRecoveredNotice, DeliveryFailingNotice
from mastodon_update_check.domain.planning.follow_ups import reminder_number
from mastodon_update_check.domain.server.problems import (
    CheckDay,
    check_failing_notice,
    check_recovered_notice,
    count_check,
    delivery_failing_notice,
    fill_days,
)
from mastodon_update_check.domain.stored_json import from_json, to_json
from mastodon_update_check.errors import Cause

INSTANT = timedelta(microseconds=1)
LADDER = [
    pytest.param(timedelta(days=3) - INSTANT, 0, id="the first notice, until 3 days are over"),
    pytest.param(timedelta(days=3), 1, id="then after 3 days"),
    pytest.param(timedelta(days=10) - INSTANT, 1, id="and for a week"),
    pytest.param(timedelta(days=10), 2, id="then weekly"),
    pytest.param(timedelta(days=17), 3, id="and weekly again"),
    pytest.param(timedelta(days=367), 53, id="for as long as it lasts"),
]
HERE = [
    pytest.param(timedelta(0), None, id="just begun"),
    pytest.param(timedelta(hours=6) - INSTANT, None, id="not yet 6 hours"),
    pytest.param(timedelta(hours=6), 0, id="6 hours"),
    *LADDER,
]
FAR = [
    pytest.param(timedelta(hours=24) - INSTANT, None, id="not yet 24 hours"),
    pytest.param(timedelta(hours=24), 0, id="24 hours"),
    *LADDER,
]


@pytest.mark.parametrize("cause", [cause for cause in Cause if not cause.is_remote])
@pytest.mark.parametrize(("lasted", "stage"), HERE)
def test_causes_on_this_server(cause: Cause, lasted: timedelta, stage: int | None) -> None:
    """6 hours for causes on this server."""
    notice = check_failing_notice(NOW - lasted, 2, cause, "why", NOW)
    expected = None
    if stage is not None:
        expected = CheckFailingNotice(started_at=NOW - lasted, stage=stage, cause=cause, detail="why")
    assert notice == expected


@pytest.mark.parametrize("cause", [cause for cause in Cause if cause.is_remote])
@pytest.mark.parametrize(("lasted", "stage"), FAR)
def test_causes_of_the_update_server(cause: Cause, lasted: timedelta, stage: int | None) -> None:
    """24 hours for those of the update server."""
    notice = check_failing_notice(NOW - lasted, 2, cause, "why", NOW)
    assert stage == (None if notice is None else notice.stage)


@pytest.mark.parametrize(("started_at", "failures"), [(NOW - timedelta(days=9), 1), (None, 5)])
def test_one_failure_is_not_an_outage(started_at: datetime | None, failures: int) -> None:
    """There are at least two failed checks in a row: a machine may have slept after the first."""
    assert check_failing_notice(started_at, failures, Cause.DNS, "why", NOW) is None


@cases("ended is_notified", (timedelta(0), True), (timedelta(days=7), True), (timedelta(days=7) + INSTANT, False))
def test_recovery(ended: timedelta, *, is_notified: bool) -> None:
    """A recovery is worth telling for a week."""
    started_at, ended_at = NOW - timedelta(days=30), NOW - ended
    expected = CheckRecoveredNotice(started_at=started_at, recovered_at=ended_at) if is_notified else None
    assert check_recovered_notice(started_at, ended_at, NOW) == expected


@pytest.mark.parametrize(("started_at", "ended_at"), [(None, NOW), (NOW, None), (None, None)])
def test_no_recovery_without_an_outage(started_at: datetime | None, ended_at: datetime | None) -> None:
    """Only an outage that began and ended is over."""
    assert check_recovered_notice(started_at, ended_at, NOW) is None


@pytest.mark.parametrize(("lasted", "stage"), HERE)
def test_failing_deliveries(lasted: timedelta, stage: int | None) -> None:
    """A sink that has accepted nothing for 6 hours is a notice."""
    expected = None
    if stage is not None:
        expected = DeliveryFailingNotice(sink="email", started_at=NOW - lasted, stage=stage, detail="why")
    assert delivery_failing_notice("email", NOW - lasted, "why", NOW) == expected


def test_sink_that_works() -> None:
    """A sink that works is not a notice."""
    assert delivery_failing_notice("email", None, "", NOW) is None


@cases(
    "elapsed number",
    ("a message from the future", -days(400), 0),
    ("just notified", timedelta(), 0),
    ("not yet a day", days(1) - INSTANT, 0),
    ("a day", days(1), 1),
    ("not yet three days", days(3) - INSTANT, 1),
    ("three days", days(3), 2),
    ("a week", days(7), 3),
    ("not yet two weeks", days(14) - INSTANT, 3),
    ("two weeks", days(14), 4),
    ("a hundred weeks", days(700), 102),
)
def test_which_reminder_is_due(elapsed: timedelta, number: int) -> None:
    """After 1, 3 and 7 days, then weekly."""
    assert reminder_number(elapsed) == number


def test_checks_are_counted_by_day() -> None:
    """Each check counts for its day; only the last 30 days are kept, and none from the future."""
    counted: tuple[CheckDay, ...] = (CheckDay(date=date(2031, 1, 1), failed=9),)
    for hours in range(40 * 24, -1, -8):
        counted = count_check(counted, NOW + timedelta(hours=8 - hours), has_failed=hours == 8)
    assert len(counted) == 30
    assert counted[0] == CheckDay(date=date(2026, 10, 25), successful=3)
    assert counted[-1] == CheckDay(date=date(2026, 11, 23), successful=1, failed=1)
    assert from_json(tuple[CheckDay, ...], to_json(counted)) == counted


def test_days_without_checks_are_filled_in() -> None:
    """The picture always has 30 days."""
    checked = CheckDay(date=date(2026, 11, 22), successful=2, failed=1)
    filled = fill_days([checked], NOW.date())
    assert len(filled) == 30
    assert filled[-2:] == (checked, CheckDay(date=NOW.date()))
