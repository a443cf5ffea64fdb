"""When a failure has lasted long enough for a notice, and how often it is repeated."""

from datetime import datetime, timedelta

import pytest

from domain.examples import NOW
from mastodon_update_check.domain.notices import CheckFailingNotice, CheckRecoveredNotice, DeliveryFailingNotice
from mastodon_update_check.domain.server.outages import (
    check_failing_notice,
    check_recovered_notice,
    delivery_failing_notice,
)
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


@pytest.mark.parametrize(
    ("ended", "is_notified"),
    [(timedelta(0), True), (timedelta(days=7), True), (timedelta(days=7) + INSTANT, False)],
)
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
