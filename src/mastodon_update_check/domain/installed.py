"""The installed version: the lower of what the tree says and what the running server says (DESIGN.md, section 6)."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from mastodon_update_check.domain.notices import RestartNotice
from mastodon_update_check.domain.server_state import ServerState
from mastodon_update_check.domain.versions import MastodonVersion
from mastodon_update_check.errors import Cause, CheckError

RESTART_DUE_AFTER = timedelta(hours=1)
"""How long tree and running server may differ before a restart is due: an upgrade takes a while."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionReading:
    """What one of the two places said: a version, an error, or nothing since it was not asked."""

    version: MastodonVersion | None = None
    error: CheckError | None = None


def merge_sightings(tree: VersionReading, running: VersionReading, known: ServerState, now: datetime) -> ServerState:
    """Return what is now known of the installed version.

    If the running server could not be asked, its last answer stands until the tree changes.

    Raises:
        CheckError: neither place said anything.
    """
    last_running = known.running if running.error and tree.version == known.tree else None
    runs = running.version or last_running
    found = [version for version in (tree.version, runs) if version is not None]
    if not found:
        raise tree.error or running.error or CheckError(Cause.VERSION, _NOWHERE)
    differs = tree.version is not None and runs is not None and tree.version != runs
    return replace(
        known.running_on(min(found)),
        tree=tree.version,
        running=runs,
        # A later instant was written by a clock that was wrong.
        differs_since=min(known.differs_since or now, now) if differs else None,
    )


def sighting_warnings(tree: VersionReading, running: VersionReading) -> tuple[str, ...]:
    """Return what could not be asked, in sentences."""
    return tuple(str(sighting.error) for sighting in (tree, running) if sighting.error is not None)


def restart_notice(known: ServerState, now: datetime) -> RestartNotice | None:
    """Return the notice that a restart is due, when tree and running server have differed for long enough."""
    if known.differs_since is None or known.tree is None or known.running is None:
        return None
    if now - known.differs_since <= RESTART_DUE_AFTER:
        return None
    return RestartNotice(tree=known.tree, running=known.running)


def has_lost_sight(before: ServerState, now: ServerState) -> bool:
    """Whether the tree that a process sees has stopped being the one that the server runs from.

    In a sandbox a process sees the directories that were there when it began. When the tree is replaced by another, or
    a link to it is set anew, the server gets ahead of a tree that stays as it was.

    Args:
        before: what the check before found; the server's last answer, if it gave none.
        now: what the last one found.
    """
    if before.tree is None or before.running is None or now.running is None:
        return False
    return now.tree == before.tree and now.running != before.running and now.running > before.tree


_NOWHERE = (
    "the installed version is not known: there is neither a Mastodon tree to read nor a server to ask; "
    "set UPDATE_CHECK_MASTODON_ROOT, LOCAL_DOMAIN or UPDATE_CHECK_MASTODON_VERSION"
)
