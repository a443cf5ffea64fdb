"""`status`: the status of the server, with the exit codes of monitoring plugins."""

from argparse import Namespace

from mastodon_update_check.app import App
from mastodon_update_check.cli.common import Exit, load_app, minute, print_json
from mastodon_update_check.cli.status_lines import write_lines, write_screen
from mastodon_update_check.cli.terminal import is_person
from mastodon_update_check.logs import hide_secrets
from mastodon_update_check.monitoring.status_json import describe_heartbeat, describe_status
from mastodon_update_check.monitoring.status_report import StatusReport


def execute(arguments: Namespace) -> int:
    """Print the status; return the exit code of a monitoring plugin."""
    app = load_app(arguments)
    report = _look(app)
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
