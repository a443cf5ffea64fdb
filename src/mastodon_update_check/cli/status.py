"""`status`: the status of the server, with the exit codes of monitoring plugins."""

import sys
from argparse import Namespace

from mastodon_update_check.app import App
from mastodon_update_check.cli.common import Exit, load_app, minute, print_json
from mastodon_update_check.cli.status_lines import write_lines, write_screen
from mastodon_update_check.cli.terminal import is_person
from mastodon_update_check.domain.server.status import Level
from mastodon_update_check.errors import LedgerError, SettingsError
from mastodon_update_check.logs import hide_secrets
from mastodon_update_check.monitoring.status_json import describe_heartbeat, describe_status
from mastodon_update_check.monitoring.status_report import StatusReport


def execute(arguments: Namespace) -> int:
    """Print the status; return the exit code of a monitoring plugin."""
    try:
        report = _look(load_app(arguments))
    except SettingsError as error:
        report = _look_in_spite_of(error, arguments)
    if arguments.json:
        print_json(describe_heartbeat(report) if arguments.alive else describe_status(report))
    elif arguments.alive:
        print(_describe_heartbeat(report))
    else:
        for line in write_screen(report) if is_person() else write_lines(report):
            print(hide_secrets(line))
    if arguments.alive:
        return Exit.DONE if report.is_alive else Exit.FAILED
    return report.verdict.level


def _look_in_spite_of(wrong: SettingsError, arguments: Namespace) -> StatusReport:
    """Return the status when the settings are wrong: a daemon may work on with the former ones, and know of an alarm.

    Raises:
        SettingsError: there is neither an alarm nor a daemon that `--alive` asks for.
    """
    try:
        report = _look(load_app(arguments, is_lenient=True))
    except (SettingsError, LedgerError):
        raise wrong from None
    if not (report.is_alive if arguments.alive else report.verdict.level is Level.CRITICAL):
        raise wrong
    problems = "\n".join(f"  - {problem}" for problem in wrong.problems)
    sys.stderr.write(f"mastodon-update-check: the settings are wrong:\n{problems}\n")
    return report


def _look(app: App) -> StatusReport:
    found = app.find_ledger()
    if found is None:
        return app.status_report(None)
    with found as ledger:
        return app.status_report(ledger)


def _describe_heartbeat(report: StatusReport) -> str:
    if report.is_alive:
        return "The daemon is running."
    if report.last_beat_at is None:
        return "The daemon is not running: it was stopped, or never started."
    return f"The daemon is not running: its last heartbeat was at {minute(report.last_beat_at)}."
