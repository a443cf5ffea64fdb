"""`status`: for a monitoring system its first line with performance data, for a person a screen with relative times."""

import sys
from argparse import Namespace
from collections.abc import Iterator
from datetime import datetime

from mastodon_update_check.cli.output import Exit, print_json
from mastodon_update_check.domain.server.status import HEADLINES, Level
from mastodon_update_check.domain.text import count, minute
from mastodon_update_check.errors import LedgerError, SettingsError
from mastodon_update_check.monitoring.details import list_details
from mastodon_update_check.monitoring.status import StatusReport, describe_status
from mastodon_update_check.startup import load_app
from mastodon_update_check.terminal import complain, fill, paint

_COLOURS = {Level.OK: "fine", Level.WARNING: "warning", Level.CRITICAL: "bad", Level.UNKNOWN: "bad"}
_UNITS = (("day", 86_400), ("hour", 3_600), ("minute", 60))
_HEARTBEAT = ("schema", "alive", "last_beat_at")
"""The fields that `--alive --json` prints."""
_SUPPORT_WARNING = "15:"
"""A threshold as plugins write it: a warning below 15 days, which are two weeks and today."""


def execute(arguments: Namespace) -> int:
    """Print the status; return the exit code of a monitoring plugin."""
    report = _read(arguments)
    if arguments.json:
        status = describe_status(report)
        print_json({name: status[name] for name in _HEARTBEAT} if arguments.alive else status)
    elif arguments.alive:
        stopped = "it was stopped, or never started"
        last = f"its last heartbeat was at {minute(report.last_beat_at)}" if report.last_beat_at else stopped
        print("The daemon is running." if report.is_alive else f"The daemon is not running: {last}.")
    else:
        for line in _write_screen(report) if sys.stdout.isatty() else _write_lines(report):
            print(line)
    if arguments.alive:
        return Exit.DONE if report.is_alive else Exit.FAILED
    return report.verdict.level


def _read(arguments: Namespace) -> StatusReport:
    """Return the status, also with wrong settings: the daemon may still use the former ones, and alarm."""
    try:
        return load_app(is_verbose=arguments.verbose).read_status()
    except SettingsError as wrong:
        try:
            report = load_app(is_verbose=arguments.verbose, is_lenient=True).read_status()
        except (SettingsError, LedgerError):
            raise wrong from None
        if not (report.is_alive if arguments.alive else report.verdict.level is Level.CRITICAL):
            raise
        complain("\n".join(("the settings are wrong:", *(f"  - {problem}" for problem in wrong.problems))))
        return report


def _write_lines(report: StatusReport) -> Iterator[str]:
    """Give the lines of a monitoring plugin; only the first one holds a `|`, before the performance data."""
    idle = "checking is off" if report.settings.off_reason else "nothing to do"
    summary = "; ".join(report.verdict.sentences) or idle
    head = f"MASTODON-UPDATE-CHECK {report.verdict.level.name} - {report.settings.instance}: {summary}"
    yield f"{head.replace('|', '/')} | {' '.join(_measure(report))}"
    if report.settings.off_reason:
        yield f"Checking is off: {report.settings.off_reason}."
    for label, text in list_details(report, minute):
        yield (f"{f'{label}:':12} {text}" if label else f"  {text}").replace("|", "/")


def _write_screen(report: StatusReport) -> Iterator[str]:
    """Give the lines for a person: the verdict, then the details with relative times."""
    level = report.verdict.level
    yield f"{report.settings.instance}: {paint(HEADLINES[level], _COLOURS[level])}"
    for sentence in report.verdict.sentences:
        yield fill(f"{sentence[0].upper()}{sentence[1:]}.", "  ")
    if report.settings.off_reason:
        yield fill(f"Checking is off: {report.settings.off_reason}.", "  ")
    yield ""
    for label, text in list_details(report, lambda moment: _relative(moment, report.now)):
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
