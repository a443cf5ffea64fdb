"""Checks counted by day, for the last 30 days."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

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


def fill_days(days: Sequence[Mapping[str, Any]], today: date) -> tuple[CheckDay, ...]:
    """Return 30 days up to `today`, those without checks included."""
    known = {day["day"]: day for day in days}
    found = []
    for offset in range(DAYS_KEPT - 1, -1, -1):
        each = today - timedelta(days=offset)
        counts = known.get(each.isoformat(), {"successful": 0, "failed": 0})
        found.append(CheckDay(date=each, successful=counts["successful"], failed=counts["failed"]))
    return tuple(found)
