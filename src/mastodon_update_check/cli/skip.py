"""`skip`: ignore a release, permanently or until a date; undo that; list ignored releases."""

import shlex
from argparse import Namespace
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from mastodon_update_check.app import App
from mastodon_update_check.cli.output import Exit, pick, print_answer
from mastodon_update_check.cli.owner import change
from mastodon_update_check.domain.text import clean, count, minute
from mastodon_update_check.errors import UsageError
from mastodon_update_check.terminal import say


def execute(app: App, arguments: Namespace) -> int:
    """Ignore releases, undo that, or list them."""
    if not (arguments.versions or arguments.undo or arguments.until):
        _list(app, arguments)
        return Exit.DONE
    if arguments.json:
        raise UsageError("--json goes with the list alone: leave everything else out")
    if not arguments.versions:
        raise UsageError("--undo and --until need a VERSION")
    if not app.ledger_location.exists():
        raise UsageError("no check has run yet, so no release is known: run `mastodon-update-check check` first")
    for line in _change(app, arguments):
        say(line)
    return Exit.DONE


def _change(app: App, arguments: Namespace) -> Iterator[str]:
    request = {"versions": arguments.versions}
    if arguments.undo:
        versions = change(app, "unskip", request)["versions"]
        yield f"No longer skipped: {', '.join(versions)}. The next check notifies those who were not yet notified."
        return
    if arguments.until:
        try:
            until_at = datetime.strptime(arguments.until, "%Y-%m-%d").replace(tzinfo=UTC)
        except ValueError as error:
            found = clean(arguments.until)
            raise UsageError(f"--until: expected a date like 2026-12-24, got {found!r}") from error
        report = change(app, "skip", {**request, "until_at": until_at.isoformat()})
        versions = (*report["skipped"], *report["others"])
        yield f"Postponed until {until_at:%Y-%m-%d}: {', '.join(versions)}. No reminders and no alarm until then."
    else:
        report = change(app, "skip", request)
        yield f"Skipped: {', '.join(report['skipped'])}. No notices, no reminders, and no alarm in `status` about it."
        yield from _describe_consequences(report)
    yield f"To undo this: mastodon-update-check skip --undo {shlex.join(report['skipped'])}"


def _describe_consequences(report: Mapping[str, Any]) -> Iterator[str]:
    skipped, others, urgent = report["skipped"], report["others"], report["urgent"]
    if others:
        yield f"Older releases of its branch are skipped with it: {', '.join(others)}."
    if urgent:
        yield f"Warning: Mastodon marks {', '.join(urgent)} as urgent. Make sure that your server does not need it."
    if len(urgent) < len(skipped) + len(others):
        yield "If it turns urgent, you are notified after all."
    if report["cancelled"]:
        yield f"It is removed from {count(report['cancelled'], 'unsent message')}."
    if report["under_way"]:
        yield f"{count(report['under_way'], 'message')} about it may still arrive: it is being sent at this moment."


def _list(app: App, arguments: Namespace) -> None:
    with app.find_ledger() as ledger:
        skips = ledger.state().skips
    listed = [
        {**pick(skip, "version", "urgent", "skipped_at"), "until": skip.until_at.date() if skip.until_at else None}
        for skip in skips
    ]
    lines = [
        f"{skip.version}{', urgent' if skip.urgent else ''}: skipped on {minute(skip.skipped_at)}"
        f"{f', until {skip.until_at:%Y-%m-%d}' if skip.until_at else ''}"
        for skip in skips
    ]
    print_answer(arguments, {"skipped": listed}, lines or ["Nothing is skipped."])
