"""`retry`: make undelivered messages due now."""

from argparse import Namespace
from collections.abc import Iterator, Mapping
from typing import Any

from mastodon_update_check.app import App
from mastodon_update_check.cli.output import Exit, print_answer
from mastodon_update_check.cli.owner import change
from mastodon_update_check.domain.text import count
from mastodon_update_check.jobs.explain import ask, find_entries

_NEXT = {
    True: "The daemon tries now; `mastodon-update-check status` shows the outcome.",
    False: "The daemon is not running: `mastodon-update-check check` tries now, or start the daemon.",
}


def execute(app: App, arguments: Namespace) -> int:
    """Make the messages due, and print what happens next."""
    with app.find_ledger() as ledger:
        asked = None if arguments.about is None else ask(arguments.about, app.settings, ledger)
        entries = find_entries(ledger, asked, is_undelivered=True)
        free = [one for one in entries if not one.is_being_sent and (arguments.stopped or not one.is_stopped)]
        wanted = {
            "messages": sorted({entry.message_id for entry in free}),
            "sinks": sorted({entry.sink for entry in free}),
            "stopped": arguments.stopped,
        }
        retried = int(change(app, "retry", wanted)["hurried"]) if free else 0
        status = app.status_report(ledger)
    report = {
        "retried": retried,
        "being_sent": len({entry.message_id for entry in entries if entry.is_being_sent}),
        "held_back": status.outbox.held_back,
        "stopped_sinks": sorted({entry.sink for entry in entries if entry.is_stopped and not arguments.stopped}),
        "unconfigured_sinks": sorted({entry.sink for entry in entries} - set(app.settings.sink_names)),
        "alive": status.is_alive,
    }
    nothing = "Nothing is undelivered." if arguments.about is None else "Nothing that matches is undelivered."
    print_answer(arguments, report, _describe(report) if entries else [nothing])
    return Exit.DONE


def _describe(report: Mapping[str, Any]) -> Iterator[str]:
    if report["retried"]:
        are = "is" if report["retried"] == 1 else "are"
        yield f"{count(report['retried'], 'message')} {are} due now. {_NEXT[report['alive']]}"
    if report["being_sent"]:
        yield f"{count(report['being_sent'], 'message')} being sent at this moment."
    if report["held_back"]:
        yield f"{count(report['held_back'], 'mail')} held back until tomorrow: at most six mails a recipient a day."
    for sink in report["stopped_sinks"]:
        yield f"{sink}: its receiver asked never to be called again (HTTP 410): change its URL, or `retry --stopped`."
    for sink in report["unconfigured_sinks"]:
        yield f"{sink}: waits until that sink is in the settings again."
