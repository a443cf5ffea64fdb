"""Checks counted by day."""

from datetime import UTC, date, datetime, timedelta

from mastodon_update_check.domain.server.check_days import CheckDay, count_check, fill_days
from mastodon_update_check.domain.stored_json import from_json, to_json

NOW = datetime(2026, 11, 28, 10, tzinfo=UTC)


def test_checks_are_counted_by_day() -> None:
    """Each check counts for its day; only the last 30 days are kept, and none from the future."""
    days: tuple[CheckDay, ...] = (CheckDay(date=date(2031, 1, 1), failed=9),)
    for hours in range(40 * 24, -1, -8):
        days = count_check(days, NOW - timedelta(hours=hours), has_failed=hours == 8)
    assert len(days) == 30
    assert days[0] == CheckDay(date=date(2026, 10, 30), successful=3)
    assert days[-1] == CheckDay(date=date(2026, 11, 28), successful=1, failed=1)
    assert from_json(tuple[CheckDay, ...], to_json(days)) == days


def test_days_without_checks_are_filled_in() -> None:
    """The picture always has 30 days."""
    checked = CheckDay(date=date(2026, 11, 27), successful=2, failed=1)
    days = fill_days([checked], NOW.date())
    assert len(days) == 30
    assert days[-2:] == (checked, CheckDay(date=NOW.date()))
