"""Problems that have lasted long enough for a notice, and the checks of each day.

The first notice of an outage comes after 6 h for causes on this server, after 24 h for the update server's; then after
3 days, then weekly, each counted from its start. An upgrade that was left unfinished (migrations that were not run,
services that were not restarted) is one notice after an hour, and one when it is over.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import NamedTuple

from mastodon_update_check.domain import notices
from mastodon_update_check.domain.versions import MastodonVersion
from mastodon_update_check.errors import Cause

LOCAL_PATIENCE = timedelta(hours=6)
_REMOTE_PATIENCE = timedelta(hours=24)
_SECOND_NOTICE = timedelta(days=3)
FEWEST_FAILURES = 2
"""A single failed check is not an outage, however long ago it was: the machine may have slept since."""
_END_NOTIFIED_FOR = timedelta(days=7)
_WEEK = timedelta(days=7)
_DAYS_KEPT = 30
_UNFINISHED_AFTER = timedelta(hours=1)


def count_due(elapsed: timedelta, first: Sequence[timedelta]) -> int:
    """Return how many repetitions are due: those of `first`, in order, and one for each week after the last of them."""
    return sum(due <= elapsed for due in first) + max((elapsed - first[-1]) // _WEEK, 0)


def may_be_notified(lasted: timedelta, failures: int) -> bool:
    """Return whether an outage that is over lasted long enough for a notice: only then its end has one."""
    return failures >= FEWEST_FAILURES and lasted >= LOCAL_PATIENCE


def check_failing_notice(
    started_at: datetime | None, failures: int, cause: Cause, detail: str, now: datetime
) -> notices.CheckFailingNotice | None:
    """Return the notice that is due while checks fail; `started_at` is None while they work."""
    if started_at is None or failures < FEWEST_FAILURES:
        return None
    due = count_due(now - started_at, (_REMOTE_PATIENCE if cause.is_remote else LOCAL_PATIENCE, _SECOND_NOTICE))
    return notices.CheckFailingNotice(started_at=started_at, stage=due - 1, cause=cause, detail=detail) if due else None


def check_recovered_notice(
    started_at: datetime | None, ended_at: datetime | None, now: datetime
) -> notices.CheckRecoveredNotice | None:
    """Return the notice that the last outage is over, for as long as it is worth a notice."""
    if started_at is None or ended_at is None or now - ended_at > _END_NOTIFIED_FOR:
        return None
    return notices.CheckRecoveredNotice(started_at=started_at, recovered_at=ended_at)


def delivery_failing_notice(
    sink: str, started_at: datetime | None, detail: str, now: datetime
) -> notices.DeliveryFailingNotice | None:
    """Return the notice that is due while a sink accepts nothing."""
    if started_at is None or not (due := count_due(now - started_at, (LOCAL_PATIENCE, _SECOND_NOTICE))):
        return None
    return notices.DeliveryFailingNotice(sink=sink, started_at=started_at, stage=due - 1, detail=detail)


class CheckDay(NamedTuple):
    """The checks of one day (UTC)."""

    date: date
    successful: int = 0
    failed: int = 0


def count_check(days: Sequence[CheckDay], now: datetime, *, has_failed: bool) -> tuple[CheckDay, ...]:
    """Return the days with one more check at `now`: the last 30, without those after `now` (a wrong clock)."""
    *before, today = fill_days(days, now.date())
    counted = CheckDay(today.date, today.successful + (not has_failed), today.failed + has_failed)
    return (*(day for day in before if day.successful or day.failed), counted)


def fill_days(days: Sequence[CheckDay], today: date) -> tuple[CheckDay, ...]:
    """Return 30 days up to `today`, those without checks included."""
    known = {day.date: day for day in days}
    wanted = (today - timedelta(days=offset) for offset in reversed(range(_DAYS_KEPT)))
    return tuple(known.get(each, CheckDay(date=each)) for each in wanted)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unfinished:
    """One part of an upgrade that is, or was, left to do."""

    about: notices.UnfinishedNotice
    ended_at: datetime | None = None


def observe(
    before: Unfinished | None,
    kind: type[notices.UnfinishedNotice],
    left: Collection[str] | None,
    tree: MastodonVersion | None,
    now: datetime,
) -> Unfinished | None:
    """Return the state after an observation at `now`; `left` or `tree` is None when it could not be observed."""
    if left is None or tree is None:
        return before
    if not left:
        return before if before is None or before.ended_at else replace(before, ended_at=now)
    found = tuple(sorted(left))
    about = before.about if before and before.ended_at is None and before.about.version == tree else None
    # Further migrations under the same version (as in a fork that follows main) belong to another upgrade.
    if isinstance(about, notices.MigrationsPendingNotice) and found[-1] > about.newest:
        about = None
    started_at = min(about.started_at, now) if about else now  # a later start was written by a wrong clock
    if kind is notices.ServicesOutdatedNotice:
        return Unfinished(about=notices.ServicesOutdatedNotice(version=tree, services=found, started_at=started_at))
    newest = about.newest if isinstance(about, notices.MigrationsPendingNotice) else found[-1]
    seen = notices.MigrationsPendingNotice(version=tree, migrations=found, newest=newest, started_at=started_at)
    return Unfinished(about=seen)


def list_left(part: Unfinished | None) -> tuple[str, ...]:
    """Return the migrations or services that are left to do, as the last check found them."""
    if part is None or part.ended_at is not None:
        return ()
    return part.about.migrations if isinstance(part.about, notices.MigrationsPendingNotice) else part.about.services


def unfinished_notices(
    parts: Collection[Unfinished | None], now: datetime
) -> Iterator[notices.UnfinishedNotice | notices.UpgradeFinishedNotice]:
    """Yield the notices about these parts of an upgrade that are true at `now`."""
    for part in parts:
        if part is None or (part.ended_at or now) - part.about.started_at <= _UNFINISHED_AFTER:
            continue
        if part.ended_at is None:
            yield part.about
        elif now - part.ended_at <= _END_NOTIFIED_FOR:
            yield notices.UpgradeFinishedNotice(about=part.about, ended_at=part.ended_at)
