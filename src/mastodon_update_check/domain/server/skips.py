"""Releases that the administrator skips: for good, or only their reminders and alarms until a date."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from mastodon_update_check.domain.notices import UpdateNotice
from mastodon_update_check.domain.stored_json import NAME
from mastodon_update_check.domain.versions import MastodonVersion


@dataclass(frozen=True, slots=True, kw_only=True)
class Skip:
    """One decision to skip a release; it holds until the release turns urgent that was not."""

    version: MastodonVersion
    urgent: bool
    """Whether it was urgent then."""
    skipped_at: datetime
    until_at: datetime | None = field(default=None, metadata={NAME: "until"})
    """None: no notices, reminders or alarms any more. Else: no reminders and no alarms until then."""

    def covers(self, update: UpdateNotice) -> bool:
        """Whether `update` is the release, or an older one of its branch, and not more urgent than it was then."""
        same_branch = update.version.branch == self.version.branch
        return same_branch and update.version <= self.version and (self.urgent or not update.urgent)

    def holds(self, now: datetime) -> bool:
        """Whether it has not expired."""
        return self.until_at is None or now < self.until_at


def is_skipped(update: UpdateNotice, skips: Iterable[Skip]) -> bool:
    """Whether `update` is skipped for good: there are no notices of it."""
    return any(skip.until_at is None and skip.covers(update) for skip in skips)


def is_silenced(update: UpdateNotice, skips: Iterable[Skip], now: datetime) -> bool:
    """Whether there are no reminders and no alarms of `update` at `now`."""
    return any(skip.holds(now) and skip.covers(update) for skip in skips)


def silenced_until(update: UpdateNotice, skips: Iterable[Skip], now: datetime) -> datetime | None:
    """Return until when `update` has no reminders and alarms; None if it has them, or is skipped for good."""
    return max(
        (skip.until_at for skip in skips if skip.until_at and skip.holds(now) and skip.covers(update)), default=None
    )


def lifted_skips(skips: Iterable[Skip], updates: Iterable[UpdateNotice]) -> tuple[Skip, ...]:
    """Return the skips that hold no longer because their release has turned urgent."""
    urgent = {update.version for update in updates if update.urgent}
    return tuple(skip for skip in skips if not skip.urgent and skip.version in urgent)
