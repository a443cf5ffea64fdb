"""Unfinished upgrades: migrations that were not run, and services that were not restarted.

Each is one notice when it has lasted for more than an hour, and one when it is over.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from mastodon_update_check.domain.notices import MigrationsPendingNotice, ServicesOutdatedNotice, UpgradeFinishedNotice
from mastodon_update_check.domain.versions import MastodonVersion

UNFINISHED_AFTER = timedelta(hours=1)
FINISHED_NOTIFIED_FOR = timedelta(days=7)


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


def observe_migrations(
    before: Unfinished | None, pending: Collection[str] | None, tree: MastodonVersion | None, now: datetime
) -> Unfinished | None:
    """Return the state after an observation at `now`; `pending` or `tree` is None when it could not be observed."""
    if pending is None or tree is None:
        return before
    if not pending:
        return _end(before, now)
    found = tuple(sorted(pending))
    seen = MigrationsPendingNotice(version=tree, migrations=found, newest=found[-1], started_at=now)
    about = before.about if before and before.ended_at is None else None
    # Further migrations under the same version (as in a fork that follows main) belong to another upgrade.
    if not isinstance(about, MigrationsPendingNotice) or about.version != tree or found[-1] > about.newest:
        return Unfinished(about=seen)
    # A later start was written by a wrong clock.
    return Unfinished(about=replace(seen, newest=about.newest, started_at=min(about.started_at, now)))


def observe_services(
    before: Unfinished | None, outdated: Collection[str] | None, tree: MastodonVersion | None, now: datetime
) -> Unfinished | None:
    """Return the state after an observation of outdated services, as `observe_migrations` does."""
    if outdated is None or tree is None:
        return before
    if not outdated:
        return _end(before, now)
    seen = ServicesOutdatedNotice(version=tree, services=tuple(sorted(outdated)), started_at=now)
    if before is None or before.ended_at is not None or before.about.version != tree:
        return Unfinished(about=seen)
    return Unfinished(about=replace(seen, started_at=min(before.about.started_at, now)))


def _end(before: Unfinished | None, now: datetime) -> Unfinished | None:
    return before if before is None or before.ended_at else replace(before, ended_at=now)


def unfinished_notices(
    parts: Collection[Unfinished | None], now: datetime
) -> Iterator[MigrationsPendingNotice | ServicesOutdatedNotice | UpgradeFinishedNotice]:
    """Yield the notices about these parts of an upgrade that are true at `now`."""
    for part in parts:
        if part is None or (part.ended_at or now) - part.about.started_at <= UNFINISHED_AFTER:
            continue
        if part.ended_at is None:
            yield part.about
        elif now - part.ended_at <= FINISHED_NOTIFIED_FOR:
            yield UpgradeFinishedNotice(about=part.about, ended_at=part.ended_at)
