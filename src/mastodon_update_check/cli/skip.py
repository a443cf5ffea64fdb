"""`skip`: pass a release over, take that back, or list what is passed over."""

import shlex
from argparse import Namespace
from collections.abc import Mapping
from typing import Any

from mastodon_update_check.app import App
from mastodon_update_check.cli.common import Exit, count, load_app, print_json
from mastodon_update_check.cli.owner import change
from mastodon_update_check.domain.server_state import ServerState
from mastodon_update_check.domain.skips import Skip
from mastodon_update_check.errors import UsageError


def execute(arguments: Namespace) -> int:
    """Do what was asked.

    Raises:
        UsageError: a version is not one that can be skipped.
    """
    app = load_app(arguments)
    if arguments.versions or arguments.undo:
        _change(app, arguments)
    else:
        _list(app, as_json=arguments.json)
    return Exit.DONE


def _change(app: App, arguments: Namespace) -> None:
    if arguments.json:
        raise UsageError("--json goes with the list alone: leave everything else out")
    if not arguments.versions:
        raise UsageError("--undo needs a VERSION: name the release that is to be skipped no longer")
    if not app.ledger_location.exists():
        raise UsageError(
            "no check has run yet, so it is not known what could be skipped: run mastodon-update-check check"
        )
    if arguments.undo:
        _print_undone(change(app, "unskip", {"versions": arguments.versions}))
    else:
        _print_skipped(change(app, "skip", {"versions": arguments.versions}))


def _print_skipped(report: Mapping[str, Any]) -> None:
    skipped, others, urgent = report["skipped"], report["others"], report["urgent"]
    print(f"Skipped: {', '.join(skipped)}. No notices, no reminders, and no alarm in `status` about it.")
    if others:
        print(f"With it, since older: {', '.join(others)}.")
    if urgent:
        print(f"Warning: Mastodon marks {', '.join(urgent)} as urgent. Make sure that your server does not need it.")
    if len(urgent) < len(skipped) + len(others):
        print("Should it turn urgent, you are notified after all.")
    if report["cancelled"]:
        print(f"It is taken out of {count(report['cancelled'], 'message')} that had not been sent yet.")
    if report["under_way"]:
        print(f"{count(report['under_way'], 'message')} about it may still arrive: it is being sent at this moment.")
    print(f"To take this back: mastodon-update-check skip --undo {shlex.join(skipped)}")


def _print_undone(report: Mapping[str, Any]) -> None:
    print(
        f"No longer skipped: {', '.join(report['versions'])}. The next check notifies those who were not yet notified."
    )


def _list(app: App, *, as_json: bool) -> None:
    known, found = ServerState(), app.find_ledger()
    if found is not None:
        with found as ledger:
            known = ledger.state()
    if as_json:
        print_json({"skipped": [_describe(skip) for skip in known.skips]})
    elif not known.skips:
        print("Nothing is skipped.")
    for skip in () if as_json else known.skips:
        urgent = ", urgent" if skip.urgent else ""
        print(f"{skip.version}{urgent}: skipped on {skip.skipped_at:%Y-%m-%d %H:%M} UTC")


def _describe(skip: Skip) -> dict[str, object]:
    return {
        "version": str(skip.version),
        "urgent": skip.urgent,
        "skipped_at": skip.skipped_at.isoformat(timespec="seconds"),
    }
