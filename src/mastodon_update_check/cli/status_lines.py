"""`status` as text: the first line for a monitoring system, with performance data, the rest for a person."""

from collections.abc import Iterator

from mastodon_update_check.cli.common import count, describe_troubles, minute
from mastodon_update_check.cli.status_picture import Picture
from mastodon_update_check.domain.status import describe_pending, is_alive
from mastodon_update_check.domain.text import clean
from mastodon_update_check.ledger.nodes import Node
from mastodon_update_check.ledger.summary import SinkAccount
from mastodon_update_check.messages.content import long_date

_SUPPORT_WARNING = "15:"
"""A threshold as plugins write it: fewer than 15 days, which are two weeks and today, is a warning."""


def write_lines(picture: Picture) -> Iterator[str]:
    """Write what `status` prints; no line but the first holds a `|`, which begins performance data."""
    idle = "checking is off" if picture.settings.off_reason else "nothing to do"
    summary = "; ".join(picture.verdict.sentences) or idle
    head = f"MASTODON-UPDATE-CHECK {picture.verdict.level.name} - {picture.settings.instance}: {summary}"
    yield f"{_without_bars(head)} | {' '.join(_measure(picture))}"
    if picture.settings.off_reason:
        yield f"Checking is off: {picture.settings.off_reason}."
    for label, text in _details(picture):
        yield _without_bars(f"{f'{label}:':12} {text}" if label else f"  {text}")


def _without_bars(line: str) -> str:
    return line.replace("|", "/")


def _measure(picture: Picture) -> Iterator[str]:
    """Give performance data: label=value[unit];warning;critical;minimum (Monitoring Plugins guidelines)."""
    yield f"pending={len(picture.known.pending())};;;0"
    yield f"urgent={picture.urgent_to_act_on};;0;0"
    yield f"undelivered={picture.outbox.undelivered};;;0"
    if picture.known.good_at is not None:
        age = max((picture.now - picture.known.good_at).total_seconds(), 0)
        yield f"last_good_check={age:.0f}s;;;0"
    if picture.support_days is not None:
        yield f"support_days={picture.support_days};{_SUPPORT_WARNING};0:"


def _details(picture: Picture) -> Iterator[tuple[str, str]]:
    known = picture.known
    if known.installed is not None:
        yield "Installed", known.installed.text
        names = [*describe_pending(known)]
        yield "Pending", ", ".join(names) or "nothing"
        if names:
            yield "", "`mastodon-update-check route` shows in which order to install them, and how."
    yield from _describe_support(picture)
    yield "Last check", f"{minute(known.checked_at) if known.checked_at else 'never'}{_describe_failure(picture)}"
    if known.failing_since is not None:
        yield "Last good", minute(known.good_at) if known.good_at else "never"
    for disabled in map(str, picture.settings.disabled):
        if not any(disabled in warning for warning in known.warnings):
            yield "Warning", disabled
    for warning in filter(None, (picture.settings.update_server_warning, *known.warnings)):
        yield "Warning", warning
    yield "Next check", _describe_next(picture)
    yield from _describe_outbox(picture)
    yield "Daemon", "at work" if picture.is_alive else _describe_absence(picture)
    for node in picture.nodes:
        yield "", f"{clean(node.host)}: {_describe_node(node, picture)}"


def _describe_support(picture: Picture) -> Iterator[tuple[str, str]]:
    known = picture.known
    if known.support_ends_on is None or known.installed is None or picture.support_days is None:
        return
    verb = "ended" if picture.support_days < 0 else "until"
    left = f" ({count(picture.support_days, 'day')} left)" if picture.support_days >= 0 else ""
    yield "Support", f"{known.installed.branch} {verb} {long_date(known.support_ends_on)}{left}"


def _describe_failure(picture: Picture) -> str:
    known = picture.known
    if known.failing_since is None:
        return ""
    return f", failing since {minute(known.failing_since)}: {known.detail}"


def _describe_next(picture: Picture) -> str:
    if picture.settings.off_reason:
        return "none, checking is off"
    if picture.next_check_at is not None:
        return f"about {minute(picture.next_check_at)}"
    return "at any moment" if picture.is_checked else "not known, the daemon is not at work"


def _describe_node(node: Node, picture: Picture) -> str:
    if not is_alive(node.beat_at, picture.now):
        return f"silent since {minute(node.beat_at)}"
    return "at work, checks" if node.has_turn else "at work"


def _describe_absence(picture: Picture) -> str:
    since = f" since {minute(picture.last_beat_at)}" if picture.last_beat_at else ""
    start = "`systemctl start mastodon-update-check`"
    if picture.is_checked:
        return f"not at work on this machine{since}: {start}, so that it can step in for the others"
    return f"not at work{since}: {start}, unless a timer runs `mastodon-update-check check`"


def _describe_outbox(picture: Picture) -> Iterator[tuple[str, str]]:
    outbox = picture.outbox
    if not outbox.undelivered:
        yield "Undelivered", "nothing"
        return
    since = f"; the oldest since {minute(outbox.waiting_since)}" if outbox.waiting_since else ""
    counts = f"{outbox.deferred} deferred, {outbox.failed} refused, {outbox.held_back} held back until tomorrow"
    yield "Undelivered", f"{counts}{since}"
    # A sink that waits as a whole; where it refuses message by message, each is named with whom it is for.
    troubled = [sink for sink in outbox.sinks if sink.retry_at is not None or sink.is_stopped]
    for sink in troubled:
        yield "", _describe_sink(sink)
    failing = {sink.name for sink in troubled}
    for line in describe_troubles(trouble for trouble in outbox.troubles if trouble.sink not in failing):
        yield "", line
    yield "", "`mastodon-update-check retry` makes it due at once; `explain` tells more."


def _describe_sink(sink: SinkAccount) -> str:
    if sink.is_stopped:
        return f"{sink.name}: its receiver asked never to be called again, give it another URL: {sink.reply}"
    since = minute(sink.failing_since) if sink.failing_since else ""
    again = f" (next attempt {minute(sink.retry_at)})" if sink.retry_at else ""
    return f"{sink.name}: failing since {since}{again}: {sink.reply}"
