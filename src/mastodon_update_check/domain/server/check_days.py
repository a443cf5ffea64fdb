"""Checks counted by day, for the last 30 days."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import NamedTuple

DAYS_KEPT = 30


class CheckDay(NamedTuple):
    """The checks of one day (UTC)."""

    date: date
    successful: int = 0
    failed: int = 0


def count_check(days: Sequence[CheckDay], now: datetime, *, has_failed: bool) -> tuple[CheckDay, ...]:
    """Return the days with one more check at `now`: the last 30, without those after `now` (a wrong clock)."""
    today = now.date()
    kept = {day.date: day for day in days if today - timedelta(days=DAYS_KEPT) < day.date <= today}
    last = kept.get(today, CheckDay(date=today))
    kept[today] = CheckDay(date=today, successful=last.successful + (not has_failed), failed=last.failed + has_failed)
    return tuple(kept[each] for each in sorted(kept))


def fill_days(days: Sequence[CheckDay], today: date) -> tuple[CheckDay, ...]:
    """Return 30 days up to `today`, those without checks included."""
    known = {day.date: day for day in days}
    wanted = (today - timedelta(days=offset) for offset in reversed(range(DAYS_KEPT)))
    return tuple(known.get(each, CheckDay(date=each)) for each in wanted)
