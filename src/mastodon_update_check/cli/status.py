"""`status`: for a monitoring system its first line with performance data, for a person a screen with relative times."""

import sys
from argparse import Namespace
from collections.abc import Callable, Iterator
from datetime import datetime

from mastodon_update_check.cli.output import Exit, count, describe_undelivered, minute, print_json
from mastodon_update_check.domain.server.status import Level, describe_pending, is_alive
from mastodon_update_check.domain.text import clean
from mastodon_update_check.errors import LedgerError, SettingsError
from mastodon_update_check.ledger.nodes import Node
from mastodon_update_check.ledger.summary import SinkAccount
from mastodon_update_check.logs import hide_secrets
from mastodon_update_check.messages.content import long_date
from mastodon_update_check.messages.explanations import describe_unfinished
from mastodon_update_check.monitoring.status import StatusReport, describe_status
from mastodon_update_check.startup import load_app
from mastodon_update_check.terminal import complain, fill, is_terminal, paint

When = Callable[[datetime], str]
_HEADLINES = {
    Level.OK: ("nothing to do", "fine"),
    Level.WARNING: ("needs attention soon", "warning"),
    Level.CRITICAL: ("action needed", "bad"),
    Level.UNKNOWN: ("unknown", "bad"),
}
_UNITS = (("day", 86_400), ("hour", 3_600), ("minute", 60))
_HEARTBEAT = ("schema", "alive", "last_beat_at")
"""The fields that `--alive --json` prints."""
_SUPPORT_WARNING = "15:"
"""A threshold as plugins write it: a warning below 15 days, which are two weeks and today."""


def execute(arguments: Namespace) -> int:
    """Print the status; return the exit code of a monitoring plugin."""
    try:
        report = _read(arguments)
    except SettingsError as error:
        report = _read_with_wrong_settings(error, arguments)
    if arguments.json:
        status = describe_status(report)
        print_json({name: status[name] for name in _HEARTBEAT} if arguments.alive else status)
    elif arguments.alive:
        print(_describe_heartbeat(report))
    else:
        for line in _write_screen(report) if is_terminal() else _write_lines(report):
            print(hide_secrets(line))
    if arguments.alive:
        return Exit.DONE if report.is_alive else Exit.FAILED
    return report.verdict.level


def _read(arguments: Namespace, *, is_lenient: bool = False) -> StatusReport:
    is_silent = is_terminal() and is_terminal(sys.stderr) and not arguments.verbose
    app = load_app(is_silent=is_silent, is_lenient=is_lenient)
    with app.find_ledger() as ledger:
        return app.status_report(ledger)


def _read_with_wrong_settings(wrong: SettingsError, arguments: Namespace) -> StatusReport:
    """Return the status although the settings are wrong: the daemon may still use the former ones, and alarm.

    Raises:
        SettingsError: there is neither an alarm nor a daemon that `--alive` asks for.
    """
    try:
        report = _read(arguments, is_lenient=True)
    except (SettingsError, LedgerError):
        raise wrong from None
    if not (report.is_alive if arguments.alive else report.verdict.level is Level.CRITICAL):
        raise wrong
    complain("\n".join(("the settings are wrong:", *(f"  - {problem}" for problem in wrong.problems))))
    return report


def _describe_heartbeat(report: StatusReport) -> str:
    if report.is_alive:
        return "The daemon is running."
    if report.last_beat_at is None:
        return "The daemon is not running: it was stopped, or never started."
    return f"The daemon is not running: its last heartbeat was at {minute(report.last_beat_at)}."


def _write_lines(report: StatusReport) -> Iterator[str]:
    """Give the lines of a monitoring plugin; only the first one holds a `|`, before the performance data."""
    idle = "checking is off" if report.settings.off_reason else "nothing to do"
    summary = "; ".join(report.verdict.sentences) or idle
    head = f"MASTODON-UPDATE-CHECK {report.verdict.level.name} - {report.settings.instance}: {summary}"
    yield f"{head.replace('|', '/')} | {' '.join(_measure(report))}"
    if report.settings.off_reason:
        yield f"Checking is off: {report.settings.off_reason}."
    for label, text in _details(report, minute):
        yield (f"{f'{label}:':12} {text}" if label else f"  {text}").replace("|", "/")


def _write_screen(report: StatusReport) -> Iterator[str]:
    """Give the lines for a person: the verdict, then the details with relative times."""
    headline, colour = _HEADLINES[report.verdict.level]
    yield f"{report.settings.instance}: {paint(headline, colour)}"
    for sentence in report.verdict.sentences:
        yield fill(f"{sentence[0].upper()}{sentence[1:]}.", "  ")
    if report.settings.off_reason:
        yield fill(f"Checking is off: {report.settings.off_reason}.", "  ")
    yield ""
    for label, text in _details(report, lambda moment: _relative(moment, report.now)):
        filled = fill(text, f"{label:12} ")
        yield filled.replace(label, paint(label, "quiet"), 1) if label else filled


def _relative(moment: datetime, now: datetime) -> str:
    """Write `3 hours ago` or `in 28 minutes`."""
    seconds = abs((now - moment).total_seconds())
    unit, size = next(((unit, size) for unit, size in _UNITS if seconds >= size * 0.95), ("second", 1))
    length = count(max(round(seconds / size), 1), unit)
    return f"{length} ago" if moment <= now else f"in {length}"


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
    failing = f", failing since {when(known.failing_since)}: {known.detail}" if known.failing_since else ""
    yield "Last check", f"{when(known.checked_at) if known.checked_at else 'never'}{failing}"
    if failing:
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
    start = "`systemctl start mastodon-update-check` (in a checkout `mastodon-update-check run`)"
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
    # Sinks that wait as a whole; of the others, each message that was not accepted.
    failing = {sink.name: sink for sink in outbox.sinks if sink.retry_at is not None or sink.is_stopped}
    for sink in failing.values():
        yield "", _describe_sink(sink, when)
    for line in describe_undelivered(one for one in outbox.latest if one.sink not in failing):
        yield "", line
    yield "", "`mastodon-update-check retry` makes it due at once; `explain` shows more."


def _describe_sink(sink: SinkAccount, when: When) -> str:
    if sink.is_stopped:
        return f"{sink.name}: its receiver asked never to be called again, give it another URL: {sink.reply}"
    since = when(sink.failing_since) if sink.failing_since else ""
    again = f" (next attempt {when(sink.retry_at)})" if sink.retry_at else ""
    return f"{sink.name}: failing since {since}{again}: {sink.reply}"
