"""When a failure has lasted long enough for a notice: failing checks, failing deliveries, and recovery.

A first notice comes after 6 h for causes on this server, after 24 h for the update server's; then after 3 days, then
weekly, each counted from the start of the outage.
"""

from datetime import datetime, timedelta

from mastodon_update_check.domain.notices import CheckFailingNotice, CheckRecoveredNotice, DeliveryFailingNotice
from mastodon_update_check.domain.repetition import count_due
from mastodon_update_check.errors import Cause

LOCAL_PATIENCE = timedelta(hours=6)
REMOTE_PATIENCE = timedelta(hours=24)
SECOND_NOTICE = timedelta(days=3)
FEWEST_FAILURES = 2
"""A single failed check is not an outage, however long ago it was: the machine may have slept since."""
RECOVERY_NOTIFIED_FOR = timedelta(days=7)


def may_be_notified(lasted: timedelta, failures: int) -> bool:
    """Return whether an outage that is over lasted long enough for a notice: only then its end has one."""
    return failures >= FEWEST_FAILURES and lasted >= LOCAL_PATIENCE


def outage_stage(lasted: timedelta, patience: timedelta) -> int | None:
    """Return which notice of an outage is due, counted from 0; None while it is too early for the first."""
    due = count_due(lasted, (patience, SECOND_NOTICE))
    return due - 1 if due else None


def check_failing_notice(
    started_at: datetime | None, failures: int, cause: Cause, detail: str, now: datetime
) -> CheckFailingNotice | None:
    """Return the notice that is due while checks fail; `started_at` is None while they work."""
    if started_at is None or failures < FEWEST_FAILURES:
        return None
    stage = outage_stage(now - started_at, REMOTE_PATIENCE if cause.is_remote else LOCAL_PATIENCE)
    if stage is None:
        return None
    return CheckFailingNotice(started_at=started_at, stage=stage, cause=cause, detail=detail)


def check_recovered_notice(
    started_at: datetime | None, ended_at: datetime | None, now: datetime
) -> CheckRecoveredNotice | None:
    """Return the notice that the last outage is over, for as long as it is worth a notice."""
    if started_at is None or ended_at is None or now - ended_at > RECOVERY_NOTIFIED_FOR:
        return None
    return CheckRecoveredNotice(started_at=started_at, recovered_at=ended_at)


def delivery_failing_notice(
    sink: str, started_at: datetime | None, detail: str, now: datetime
) -> DeliveryFailingNotice | None:
    """Return the notice that is due while a sink accepts nothing."""
    stage = None if started_at is None else outage_stage(now - started_at, LOCAL_PATIENCE)
    if started_at is None or stage is None:
        return None
    return DeliveryFailingNotice(sink=sink, started_at=started_at, stage=stage, detail=detail)
