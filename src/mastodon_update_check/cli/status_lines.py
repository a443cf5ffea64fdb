"""`status` as text: the first line for a monitoring system, with performance data, the rest for a person."""

from collections.abc import Callable, Iterator
from datetime import datetime

from mastodon_update_check.cli.common import count, describe_troubles, minute
from mastodon_update_check.cli.terminal import fill, paint
from mastodon_update_check.domain.server.status import Level, describe_pending, is_alive
from mastodon_update_check.domain.text import clean
from mastodon_update_check.ledger.nodes import Node
from mastodon_update_check.ledger.summary import SinkAccount
from mastodon_update_check.messages.content import long_date
from mastodon_update_check.messages.explanations import describe_unfinished
from mastodon_update_check.monitoring.status_report import StatusReport

When = Callable[[datetime], str]
_HEADLINES = {
    Level.OK: ("nothing to do", "fine"),
    Level.WARNING: ("needs attention soon", "warning"),
    Level.CRITICAL: ("action needed", "bad"),
    Level.UNKNOWN: ("unknown", "bad"),
}
_UNITS = (("day", 86_400), ("hour", 3_600), ("minute", 60))
_SUPPORT_WARNING = "15:"
"""A threshold as plugins write it: fewer than 15 days, which are two weeks and today, is a warning."""


def write_lines(report: StatusReport) -> Iterator[str]:
    """Write what `status` prints; no line but the first holds a `|`, which begins performance data."""
    idle = "checking is off" if report.settings.off_reason else "nothing to do"
    summary = "; ".join(report.verdict.sentences) or idle
    head = f"MASTODON-UPDATE-CHECK {report.verdict.level.name} - {report.settings.instance}: {summary}"
    yield f"{_without_bars(head)} | {' '.join(_measure(report))}"
    if report.settings.off_reason:
        yield f"Checking is off: {report.settings.off_reason}."
    for label, text in _details(report, minute):
        yield _without_bars(f"{f'{label}:':12} {text}" if label else f"  {text}")


def write_screen(report: StatusReport) -> Iterator[str]:
    """Give the lines for a person: the verdict, then the details with relative times."""
    headline, colour = _HEADLINES[report.verdict.level]
    yield f"{report.settings.instance}: {paint(headline, colour)}"
    for sentence in report.verdict.sentences:
        yield from fill(f"{sentence[0].upper()}{sentence[1:]}.", "  ")
    if report.settings.off_reason:
        yield from fill(f"Checking is off: {report.settings.off_reason}.", "  ")
    yield ""
    for label, text in _details(report, lambda moment: relative(moment, report.now)):
        lines = [*fill(text, f"{label:12} ")]
        yield from (
            line.replace(label, paint(label, "quiet"), 1) if label and not number else line
            for number, line in enumerate(lines)
        )


def relative(moment: datetime, now: datetime) -> str:
    """Write `3 hours ago` or `in 28 minutes`."""
    seconds = abs((now - moment).total_seconds())
    unit, size = next(((unit, size) for unit, size in _UNITS if seconds >= size * 0.95), ("second", 1))
    length = count(max(round(seconds / size), 1), unit)
    return f"{length} ago" if moment <= now else f"in {length}"


def _without_bars(line: str) -> str:
    return line.replace("|", "/")


def _measure(report: StatusReport) -> Iterator[str]:
    """Give performance data: label=value[unit];warning;critical;minimum (Monitoring Plugins guidelines)."""
    yield f"pending={len(report.known.pending())};;;0"
    yield f"urgent={report.urgent_to_act_on};;0;0"
    yield f"undelivered={report.outbox.undelivered};;;0"
    if report.known.good_at is not None:
        age = max((report.now - report.known.good_at).total_seconds(), 0)
        yield f"last_good_check={age:.0f}s;;;0"
    if report.support_days is not None:
        yield f"support_days={report.support_days};{_SUPPORT_WARNING};0:"


def _details(report: StatusReport, when: When) -> Iterator[tuple[str, str]]:
    known = report.known
    if known.installed is not None:
        yield "Installed", known.installed.text
        names = [*describe_pending(known)]
        yield "Pending", ", ".join(names) or "nothing"
        if names:
            yield "", "`mastodon-update-check route` shows in which order to install them, and how."
    for sentence in describe_unfinished(known):
        yield "Unfinished", sentence
    yield from _describe_support(report)
    yield "Last check", f"{when(known.checked_at) if known.checked_at else 'never'}{_describe_failure(report, when)}"
    if known.failing_since is not None:
        yield "Last good", when(known.good_at) if known.good_at else "never"
    for disabled in map(str, report.settings.disabled):
        if not any(disabled in warning for warning in known.warnings):
            yield "Warning", disabled
    for warning in filter(None, (report.settings.update_server_warning, *known.warnings)):
        yield "Warning", warning
    yield "Next check", _describe_next(report, when)
    yield from _describe_outbox(report, when)
    yield "Daemon", "running" if report.is_alive else _describe_absence(report, when)
    for node in report.nodes:
        yield "", f"{clean(node.host)}: {_describe_node(node, report, when)}"


def _describe_support(report: StatusReport) -> Iterator[tuple[str, str]]:
    known = report.known
    if known.support_ends_on is None or known.installed is None or report.support_days is None:
        return
    verb = "ended" if report.support_days < 0 else "until"
    left = f" ({count(report.support_days, 'day')} left)" if report.support_days >= 0 else ""
    yield "Support", f"{known.installed.branch} {verb} {long_date(known.support_ends_on)}{left}"


def _describe_failure(report: StatusReport, when: When) -> str:
    known = report.known
    if known.failing_since is None:
        return ""
    return f", failing since {when(known.failing_since)}: {known.detail}"


def _describe_next(report: StatusReport, when: When) -> str:
    if report.settings.off_reason:
        return "none, checking is off"
    if report.next_check_at is not None:
        return when(report.next_check_at)
    return "at any moment" if report.is_checked else "unknown, the daemon is not running"


def _describe_node(node: Node, report: StatusReport, when: When) -> str:
    if not is_alive(node.alive_at, report.now):
        return f"silent since {when(node.alive_at)}"
    return "running, checks" if node.is_owner else "running"


def _describe_absence(report: StatusReport, when: When) -> str:
    since = f" since {when(report.last_beat_at)}" if report.last_beat_at else ""
    start = "`systemctl start mastodon-update-check`"
    if report.is_checked:
        return f"not running on this machine{since}: {start}, as a standby"
    return f"not running{since}: {start}, unless a timer runs `mastodon-update-check check`"


def _describe_outbox(report: StatusReport, when: When) -> Iterator[tuple[str, str]]:
    outbox = report.outbox
    if not outbox.undelivered:
        yield "Undelivered", "nothing"
        return
    since = f"; the oldest since {when(outbox.waiting_since)}" if outbox.waiting_since else ""
    counts = f"{outbox.deferred} deferred, {outbox.failed} refused, {outbox.held_back} held back until tomorrow"
    yield "Undelivered", f"{counts}{since}"
    # A sink that waits as a whole; where it refuses message by message, each is named with whom it is for.
    troubled = [sink for sink in outbox.sinks if sink.retry_at is not None or sink.is_stopped]
    for sink in troubled:
        yield "", _describe_sink(sink, when)
    failing = {sink.name for sink in troubled}
    for line in describe_troubles(trouble for trouble in outbox.latest if trouble.sink not in failing):
        yield "", line
    yield "", "`mastodon-update-check retry` makes it due at once; `explain` shows more."


def _describe_sink(sink: SinkAccount, when: When) -> str:
    if sink.is_stopped:
        return f"{sink.name}: its receiver asked never to be called again, give it another URL: {sink.reply}"
    since = when(sink.failing_since) if sink.failing_since else ""
    again = f" (next attempt {when(sink.retry_at)})" if sink.retry_at else ""
    return f"{sink.name}: failing since {since}{again}: {sink.reply}"
