"""Unfinished upgrades: migrations that were not run, and services that were not restarted.

Each is one notice when it has lasted for more than an hour, and one when it is over.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from mastodon_update_check.domain.notices import MigrationsPendingNotice, ServicesOutdatedNotice, UpgradeFinishedNotice
from mastodon_update_check.domain.versions import MastodonVersion

_NOTIFIED_AFTER = timedelta(hours=1)
_END_NOTIFIED_FOR = timedelta(days=7)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unfinished:
    """One part of an upgrade that is, or was, left to do."""

    about: MigrationsPendingNotice | ServicesOutdatedNotice
    """As seen last."""
    ended_at: datetime | None = None

    @property
    def left(self) -> tuple[str, ...]:
        """The migrations or services that are left to do."""
        if self.ended_at is not None:
            return ()
        return self.about.migrations if isinstance(self.about, MigrationsPendingNotice) else self.about.services


def observe(
    before: Unfinished | None,
    kind: type[MigrationsPendingNotice] | type[ServicesOutdatedNotice],
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
    if isinstance(about, MigrationsPendingNotice) and found[-1] > about.newest:
        about = None
    started_at = min(about.started_at, now) if about else now  # a later start was written by a wrong clock
    if kind is ServicesOutdatedNotice:
        return Unfinished(about=ServicesOutdatedNotice(version=tree, services=found, started_at=started_at))
    newest = about.newest if isinstance(about, MigrationsPendingNotice) else found[-1]
    seen = MigrationsPendingNotice(version=tree, migrations=found, newest=newest, started_at=started_at)
    return Unfinished(about=seen)


def unfinished_notices(
    parts: Collection[Unfinished | None], now: datetime
) -> Iterator[MigrationsPendingNotice | ServicesOutdatedNotice | UpgradeFinishedNotice]:
    """Yield the notices about these parts of an upgrade that are true at `now`."""
    for part in parts:
        if part is None or (part.ended_at or now) - part.about.started_at <= _NOTIFIED_AFTER:
            continue
        if part.ended_at is None:
            yield part.about
        elif now - part.ended_at <= _END_NOTIFIED_FOR:
            yield UpgradeFinishedNotice(about=part.about, ended_at=part.ended_at)
