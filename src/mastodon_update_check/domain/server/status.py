"""The status of the server, judged as monitoring plugins do: for `status` and the unit's status line."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum

from mastodon_update_check.domain.notices import SupportStage, UpdateNotice
from mastodon_update_check.domain.server.state import ServerState
from mastodon_update_check.domain.text import minute

UNDELIVERED_ALARM = timedelta(hours=6)
SHORTEST_SILENCE = timedelta(hours=2)
"""However short the interval, only a silence this long is an alarm."""
ALIVE = timedelta(minutes=3)
"""How old the daemon's last heartbeat may be; there is one every few seconds while it runs."""


def is_alive(last_beat_at: datetime | None, now: datetime) -> bool:
    """Return whether the daemon's last heartbeat is recent; one from the future counts as none."""
    return last_beat_at is not None and abs(now - last_beat_at) <= ALIVE


class Level(IntEnum):
    """Exit codes of monitoring plugins."""

    OK = 0
    WARNING = 1
    CRITICAL = 2
    UNKNOWN = 3


HEADLINES = ("nothing to do", "needs attention soon", "action needed", "unknown")
"""By level."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The worst level, and a sentence for each problem."""

    level: Level
    sentences: tuple[str, ...]


def urgent_to_act_on(known: ServerState, now: datetime) -> tuple[UpdateNotice, ...]:
    """Return the pending urgent updates that call for action."""
    if known.installed is None:
        return ()
    pending, branch = known.pending(), known.installed.branch
    own = [one for one in pending if one.version.branch == branch]
    has_no_fix = bool(own) and not any(one.urgent for one in own)
    is_any_branch = has_no_fix or has_support_ended(known, now)
    return tuple(
        update
        for update in pending
        if update.urgent and (is_any_branch or update.version.branch == branch) and not known.is_silenced(update, now)
    )


def has_support_ended(known: ServerState, now: datetime) -> bool:
    """Return whether the installed branch is out of support."""
    support = known.support_at(now)
    return support is not None and support.stage is SupportStage.ENDED


def judge(
    known: ServerState, waiting_since: datetime | None, now: datetime, interval: timedelta, off_reason: str
) -> Verdict:
    """Judge the state of the server; `waiting_since` is when the oldest undelivered message was planned."""
    found = [*_judge_branch(known, now), *_judge_silence(known, now, interval, off_reason)]
    if problem := describe_undelivered(waiting_since, now):
        found.append((Level.WARNING, problem))
    levels = {level for level, _ in found}
    # An urgent update that is known of counts for more than a check that has failed since.
    worst = next((level for level in (Level.CRITICAL, Level.UNKNOWN, Level.WARNING) if level in levels), Level.OK)
    return Verdict(level=worst, sentences=tuple(sentence for _, sentence in found))


def _judge_branch(known: ServerState, now: datetime) -> Iterable[tuple[Level, str]]:
    branch, own = known.installed.branch if known.installed else "", None
    to_act_on = {update.version for update in urgent_to_act_on(known, now)}
    for update in known.pending():
        if update.version in to_act_on:
            yield Level.CRITICAL, f"install {update.version}, it is urgent"
        elif update.version.branch == branch and not known.is_silenced(update, now):
            own = update
    if own:
        yield Level.WARNING, f"{own.version} is out for your branch"
    support = known.support_at(now)
    if support is not None and support.stage is SupportStage.ENDED:
        yield Level.CRITICAL, f"{branch} has been out of support since {support.ends_on}"
    elif support is not None and support.stage is SupportStage.TWO_WEEKS:
        yield Level.WARNING, f"support for {branch} ends on {support.ends_on}"


def _judge_silence(
    known: ServerState, now: datetime, interval: timedelta, off_reason: str
) -> Iterable[tuple[Level, str]]:
    if off_reason:
        return
    why = f": {known.detail}" if known.detail else ""
    if known.good_at is None:
        yield Level.UNKNOWN, f"no check has worked yet{why}"
    elif not -SHORTEST_SILENCE < now - known.good_at <= max(interval * 3, SHORTEST_SILENCE):
        yield Level.UNKNOWN, f"no check has worked since {minute(known.good_at)}{why}"


def describe_undelivered(waiting_since: datetime | None, now: datetime) -> str:
    """Return a sentence if a message has been undelivered for too long; empty if not."""
    if waiting_since is None or now - waiting_since < UNDELIVERED_ALARM:
        return ""
    return f"something has not been delivered since {minute(waiting_since)}"


def postponed_until(update: UpdateNotice, known: ServerState) -> datetime | None:
    """Return until when there are no reminders and no alarms of a pending update; None when it is not postponed."""
    if known.is_skipped(update):
        return None
    return max((skip.until_at for skip in known.skips if skip.until_at and skip.covers(update)), default=None)


def describe_skip(update: UpdateNotice, known: ServerState) -> str:
    """Write `skipped` or `skipped until 2026-12-01`; empty for an update that is neither."""
    until = postponed_until(update, known)
    return f"skipped until {until:%Y-%m-%d}" if until else "skipped" if known.is_skipped(update) else ""


def describe_pending(known: ServerState) -> Iterable[str]:
    """Write `4.5.20 (urgent)`, `4.5.21 (skipped)`, `4.5.22 (skipped until 2026-12-01)` for each pending update."""
    for update in known.pending():
        marks = ", ".join(filter(None, ("urgent" if update.urgent else "", describe_skip(update, known))))
        yield f"{update.version} ({marks})" if marks else str(update.version)


def describe_line(known: ServerState, undelivered: int, off_reason: str) -> str:
    """Write the line that `systemctl status` shows."""
    pending = ", ".join(describe_pending(known))
    last = f"checked {known.checked_at:%H:%M} UTC" if known.checked_at else "no check yet"
    if known.failing_since is not None:
        last = f"checks failing since {minute(known.failing_since)}: {known.detail}"
    parts = [
        f"Mastodon {known.installed.text}, pending: {pending or 'nothing'}" if known.installed else "",
        f"checking is off: {off_reason}" if off_reason else last,
        f"{undelivered} undelivered" if undelivered else "",
    ]
    return "; ".join(part for part in parts if part)
