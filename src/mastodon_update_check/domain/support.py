"""When support of a branch ends, and how near that is."""

from datetime import UTC, date, datetime, time, timedelta

from mastodon_update_check.domain.notices import SupportStage


def support_stage(ends_on: date, now: datetime) -> SupportStage | None:
    """Return the stage that applies at `now`, or None while the end is further away.

    Mastodon's boundaries: the date counts as its midnight in UTC; ended begins the day after.
    """
    now = now.astimezone(UTC)
    if ends_on < now.date():
        return SupportStage.ENDED
    midnight = datetime.combine(ends_on, time.min, UTC)
    if midnight < now + timedelta(weeks=2):
        return SupportStage.TWO_WEEKS
    return SupportStage.THREE_MONTHS if midnight < _months_later(now, 3) else None


def _months_later(instant: datetime, months: int) -> datetime:
    """Add calendar months; a day that the month lacks becomes its last day, as ActiveSupport does."""
    year, month = divmod(instant.year * 12 + instant.month - 1 + months, 12)
    first = instant.replace(year=year, month=month + 1, day=1)
    last_day = ((first + timedelta(days=31)).replace(day=1) - timedelta(days=1)).day
    return first.replace(day=min(instant.day, last_day))
