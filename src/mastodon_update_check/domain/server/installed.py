"""The installed version: the lower of what the tree says and what the running server says."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from mastodon_update_check.domain.notices import RestartNotice
from mastodon_update_check.domain.server.state import ServerState, StaleHours
from mastodon_update_check.domain.versions import MastodonVersion
from mastodon_update_check.errors import Cause, CheckError

RESTART_DUE_AFTER = timedelta(hours=1)
"""How long tree and running server may differ within a day before a restart is due: an upgrade takes a while."""
SEEN_LATELY = timedelta(hours=7)
"""A process that has not answered with another version for this long has been restarted."""
_DAY = timedelta(days=1)
AGREEMENTS_NEEDED = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionReading:
    """The answer of the tree or of the running server: a version, an error, or nothing since it was not asked."""

    version: MastodonVersion | None = None
    error: CheckError | None = None


def merge_readings(tree: VersionReading, running: VersionReading, known: ServerState, now: datetime) -> ServerState:
    """Return the state with the installed version: the lower of what tree and running server say.

    If the running server could not be asked, its last answer stands until the tree changes. When several processes of
    different versions answer in turn, the lowest counts until it has not been seen for some hours.
    Raises `CheckError` if neither place said anything.
    """
    last_running = known.running if running.error and tree.version == known.tree else None
    runs = running.version or last_running
    if tree.version is None and runs is None:
        raise tree.error or running.error or CheckError(Cause.VERSION, _NOWHERE)
    state = _compare(tree.version, runs, known, now)
    left_behind = state.stale if _has_stale_process(state, now) else None
    found = [version for version in (tree.version, runs, left_behind) if version is not None]
    return replace(state.running_on(min(found)), tree=tree.version, running=runs)


def _compare(
    tree: MastodonVersion | None, runs: MastodonVersion | None, known: ServerState, now: datetime
) -> ServerState:
    """Return the state with the time during which tree and running server differed."""
    if tree is None or runs is None or tree != known.tree:
        known = replace(known, differs_since=None, stale=None, stale_hours=(), alternates=False, agreements=0)
    if tree is None or runs is None:
        return known
    if tree == runs:
        return replace(known, differs_since=None, agreements=known.agreements + 1)
    since = min(known.differs_since or now, now)  # a later instant was written by a clock that was wrong
    return replace(
        known,
        differs_since=since,
        stale=runs,
        stale_hours=_add_time(known, since, now),
        alternates=known.alternates or known.agreements > 0,
        agreements=0,
    )


def _add_time(known: ServerState, since: datetime, now: datetime) -> StaleHours:
    """Return the hours of the last day with the time since the last check added; a first difference adds none."""
    hours = {hour: seconds for hour, seconds in known.stale_hours if abs(now - hour) <= _DAY}
    last_check_at = min(known.checked_at or now, now)
    last = since if not hours else last_check_at
    hour = now.replace(minute=0, second=0, microsecond=0)
    return tuple((hours | {hour: hours.get(hour, 0.0) + (now - last).total_seconds()}).items())


def restart_notice(known: ServerState, now: datetime) -> RestartNotice | None:
    """Return the notice that a restart is due: tree and running server differed for more than an hour within a day."""
    if known.tree is None or known.running is None or known.stale is None:
        return None
    if known.differs_since is None and not _has_stale_process(known, now):
        return None
    total = sum(seconds for hour, seconds in known.stale_hours if abs(now - hour) <= _DAY)
    is_due = total > RESTART_DUE_AFTER.total_seconds()
    return RestartNotice(tree=known.tree, running=known.stale) if is_due else None


def is_settled(known: ServerState, now: datetime) -> bool:
    """Return whether no process answers with another version than the tree's, by two checks in a row."""
    if known.tree is None or known.running is None:
        return True
    return known.agreements >= AGREEMENTS_NEEDED and not _has_stale_process(known, now)


def _has_stale_process(known: ServerState, now: datetime) -> bool:
    """Return whether one of several processes answered with another version than the tree's not long ago."""
    return known.alternates and any(abs(now - hour) <= SEEN_LATELY for hour, _ in known.stale_hours)


def has_lost_sight(before: ServerState, now: ServerState) -> bool:
    """Return whether the tree that a process sees has stopped being the one that the server runs from.

    In a sandbox a process sees the directories that were there when it began. When the tree is replaced by another, or
    a link to it is changed, the server gets ahead of a tree that stays as it was.
    """
    if before.tree is None or before.running is None or now.running is None:
        return False
    return now.tree == before.tree and now.running != before.running and now.running > before.tree


_NOWHERE = (
    "the installed version is not known: there is neither a Mastodon tree to read nor a server to ask; "
    "set UPDATE_CHECK_MASTODON_ROOT, LOCAL_DOMAIN or UPDATE_CHECK_MASTODON_VERSION"
)
