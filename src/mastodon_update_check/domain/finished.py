"""Whether an upgrade was finished: migrations that were not run, and services that were not restarted.

Each is one notice when it has lasted for more than an hour, and one when it is over.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from mastodon_update_check.domain.notices import MigrationsPendingNotice, ServicesOutdatedNotice, UpgradeFinishedNotice
from mastodon_update_check.domain.versions import MastodonVersion

UNFINISHED_AFTER = timedelta(hours=1)
"""An upgrade takes a while."""
FINISHED_NOTIFIED_FOR = timedelta(days=7)
"""How long the end is worth a notice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unfinished:
    """One part of an upgrade that is, or was, left to do: pending migrations or outdated services."""

    version: MastodonVersion
    """Of the tree."""
    items: tuple[str, ...]
    """Migrations (14 digits) or names of services, in order: those seen last."""
    newest: str
    """The greatest item seen since `started_at`."""
    started_at: datetime
    ended_at: datetime | None = None
    """When none was left."""


def observe_unfinished(
    before: Unfinished | None, items: Collection[str] | None, tree: MastodonVersion | None, now: datetime
) -> Unfinished | None:
    """Return the state after an observation.

    Args:
        before: the state so far.
        items: the pending migrations, or the outdated services; None when they could not be observed.
        tree: the version of the tree; None when it is unknown.
        now: the instant of the observation.
    """
    if items is None or tree is None:
        return before
    if not items:
        return before if before is None or before.ended_at else replace(before, ended_at=now)
    found = tuple(sorted(items))
    continues = before is not None and before.ended_at is None and before.version == tree
    if before is None or not continues or _has_newer_migration(before, found):
        return Unfinished(version=tree, items=found, newest=found[-1], started_at=now)
    started_at = min(before.started_at, now)  # a later instant was written by a wrong clock
    return replace(before, items=found, newest=max(before.newest, found[-1]), started_at=started_at)


def _has_newer_migration(before: Unfinished, found: tuple[str, ...]) -> bool:
    """Whether the tree got further migrations since, without another version (as a fork that follows main)."""
    return found[-1].isdigit() and found[-1] > before.newest


def migrations_notice(
    state: Unfinished | None, now: datetime
) -> MigrationsPendingNotice | UpgradeFinishedNotice | None:
    """Return the notice about pending migrations that is true at `now`."""
    if state is None or not _is_notified(state, now):
        return None
    notice = MigrationsPendingNotice(
        version=state.version, migrations=state.items, newest=state.newest, started_at=state.started_at
    )
    return notice if state.ended_at is None else UpgradeFinishedNotice(about=notice, ended_at=state.ended_at)


def services_notice(state: Unfinished | None, now: datetime) -> ServicesOutdatedNotice | UpgradeFinishedNotice | None:
    """Return the notice about outdated services that is true at `now`."""
    if state is None or not _is_notified(state, now):
        return None
    notice = ServicesOutdatedNotice(version=state.version, services=state.items, started_at=state.started_at)
    return notice if state.ended_at is None else UpgradeFinishedNotice(about=notice, ended_at=state.ended_at)


def _is_notified(state: Unfinished, now: datetime) -> bool:
    if state.ended_at is not None and now - state.ended_at > FINISHED_NOTIFIED_FOR:
        return False
    return (state.ended_at or now) - state.started_at > UNFINISHED_AFTER
