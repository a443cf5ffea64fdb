"""`skip`: ignore a release, for good or until a date; undo that; list ignored releases."""

import shlex
from argparse import Namespace
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

from mastodon_update_check.app import App
from mastodon_update_check.cli.common import Exit, count, load_app, print_json
from mastodon_update_check.cli.owner import change
from mastodon_update_check.cli.terminal import say
from mastodon_update_check.domain.server.state import ServerState, Skip
from mastodon_update_check.domain.text import clean
from mastodon_update_check.errors import UsageError


def execute(arguments: Namespace) -> int:
    """Do what was asked.

    Raises:
        UsageError: a version is not one that can be skipped.
    """
    app = load_app(arguments)
    if arguments.versions or arguments.undo or arguments.until:
        _change(app, arguments)
    else:
        _list(app, as_json=arguments.json)
    return Exit.DONE


def _change(app: App, arguments: Namespace) -> None:
    if arguments.json:
        raise UsageError("--json goes with the list alone: leave everything else out")
    if not arguments.versions:
        raise UsageError("--undo and --until need a VERSION")
    if not app.ledger_location.exists():
        raise UsageError(
            "no check has run yet, so it is not known what could be skipped: run mastodon-update-check check"
        )
    if arguments.undo:
        _print_undone(change(app, "unskip", {"versions": arguments.versions}))
    elif arguments.until:
        until_at = _read_date(arguments.until)
        request = {"versions": arguments.versions, "until_at": until_at.isoformat()}
        _print_postponed(change(app, "skip", request), until_at)
    else:
        _print_skipped(change(app, "skip", {"versions": arguments.versions}))


def _read_date(text: str) -> datetime:
    """Return the beginning of a day (UTC).

    Raises:
        UsageError: it is not a date.
    """
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise UsageError(f"--until: expected a date like 2026-12-24, got {clean(text)!r}") from error
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _print_postponed(report: Mapping[str, Any], until_at: datetime) -> None:
    skipped, others = report["skipped"], report["others"]
    say(f"Postponed until {until_at:%Y-%m-%d}: {', '.join((*skipped, *others))}. No reminders and no alarm until then.")
    say(f"To undo this: mastodon-update-check skip --undo {shlex.join(skipped)}")


def _print_skipped(report: Mapping[str, Any]) -> None:
    skipped, others, urgent = report["skipped"], report["others"], report["urgent"]
    say(f"Skipped: {', '.join(skipped)}. No notices, no reminders, and no alarm in `status` about it.")
    if others:
        say(f"With it, since older: {', '.join(others)}.")
    if urgent:
        say(f"Warning: Mastodon marks {', '.join(urgent)} as urgent. Make sure that your server does not need it.")
    if len(urgent) < len(skipped) + len(others):
        say("Should it turn urgent, you are notified after all.")
    if report["cancelled"]:
        say(f"It is taken out of {count(report['cancelled'], 'message')} that had not been sent yet.")
    if report["under_way"]:
        say(f"{count(report['under_way'], 'message')} about it may still arrive: it is being sent at this moment.")
    say(f"To undo this: mastodon-update-check skip --undo {shlex.join(skipped)}")


def _print_undone(report: Mapping[str, Any]) -> None:
    say(f"No longer skipped: {', '.join(report['versions'])}. The next check notifies those who were not yet notified.")


def _list(app: App, *, as_json: bool) -> None:
    known, found = ServerState(), app.find_ledger()
    if found is not None:
        with found as ledger:
            known = ledger.state()
    if as_json:
        print_json({"skipped": [_describe(skip) for skip in known.skips]})
    elif not known.skips:
        say("Nothing is skipped.")
    for skip in () if as_json else known.skips:
        urgent = ", urgent" if skip.urgent else ""
        until = f", until {skip.until_at:%Y-%m-%d}" if skip.until_at else ""
        say(f"{skip.version}{urgent}: skipped on {skip.skipped_at:%Y-%m-%d %H:%M} UTC{until}")


def _describe(skip: Skip) -> dict[str, object]:
    return {
        "version": str(skip.version),
        "urgent": skip.urgent,
        "skipped_at": skip.skipped_at.isoformat(timespec="seconds"),
        "until": skip.until_at.date().isoformat() if skip.until_at else None,
    }
