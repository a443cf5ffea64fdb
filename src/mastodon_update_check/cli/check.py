"""`check`: one check, and one attempt at every due message."""

import time
from argparse import Namespace
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from mastodon_update_check.app import App
from mastodon_update_check.cli.output import Exit, describe_end_of_support, print_json
from mastodon_update_check.cli.owner import POLL_SECONDS, ask_owner
from mastodon_update_check.domain.notices import UpdateNotice
from mastodon_update_check.domain.planning.plan import PlannedMessage
from mastodon_update_check.domain.server.state import ServerState
from mastodon_update_check.domain.stored_json import from_json, to_json
from mastodon_update_check.domain.text import count
from mastodon_update_check.errors import LedgerError
from mastodon_update_check.jobs.check import CheckOptions, CheckResult, rehearse
from mastodon_update_check.ledger.ledger import Ledger
from mastodon_update_check.ledger.summary import OutboxSummary
from mastodon_update_check.messages.explanations import name_notice
from mastodon_update_check.messages.payload import describe_support, list_updates
from mastodon_update_check.messages.release_parts import order_updates
from mastodon_update_check.monitoring.details import list_undelivered
from mastodon_update_check.terminal import progress, say

_ATTEMPTS_PATIENCE = timedelta(minutes=2)
"""How long to wait for the daemon to try what is due: every built-in sink takes less."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckAnswer:
    """Everything that `check` prints."""

    result: CheckResult
    state: ServerState
    sent: int
    outbox: OutboxSummary
    messages: tuple[PlannedMessage, ...] = ()
    """Of a dry run: those that would be sent."""


def execute(app: App, arguments: Namespace) -> int:
    """Run one check; return the exit code."""
    with progress("Checking"):
        answer = _rehearse(app) if arguments.dry_run else _check(app, mark=arguments.mark)
    if arguments.json:
        print_json(_to_json(answer, app))
    else:
        _print(answer, app, arguments)
    if answer.result.error:
        return Exit.FAILED
    return Exit.INCOMPLETE if answer.outbox.undelivered else Exit.DONE


def _check(app: App, *, mark: bool) -> CheckAnswer:
    """Check as the owner of the ledger, or have the daemon check, and wait until it has tried what is due."""
    done: list[int] = []

    def run(ledger: Ledger) -> Mapping[str, Any]:
        report = app.run_check(ledger, CheckOptions(mark=mark))
        done.append(0 if mark else _deliver(app, ledger))
        app.finish_check(ledger, report)
        answer: Mapping[str, Any] = to_json(report.result)
        return answer

    result: CheckResult = from_json(CheckResult, ask_owner(app, "check", {"mark": mark}, run))
    with app.open_ledger() as ledger:
        if not done and not mark:
            _wait_for_attempts(app, ledger, result.began_at)
        with ledger.reading() as view:
            sent = done[0] if done else view.sent_since(result.began_at)
            outbox = view.summary(app.clock(), app.settings.sink_names)
            return CheckAnswer(result=result, state=view.state(), sent=sent, outbox=outbox)


def _deliver(app: App, ledger: Ledger) -> int:
    """Try once every message that is due; return how many were accepted."""
    deliveries = app.deliveries(ledger, due_by=app.clock())
    deliveries.run(ledger)
    if deliveries.problems:
        raise LedgerError(deliveries.problems[0])
    return deliveries.sent


def _wait_for_attempts(app: App, ledger: Ledger, since: datetime) -> None:
    """Wait until the daemon has tried what was due at the check; a sink that hangs is not waited for long."""
    end = time.monotonic() + _ATTEMPTS_PATIENCE.total_seconds()
    while (due_at := app.next_due_at(ledger)) is not None and due_at <= since and time.monotonic() < end:
        time.sleep(POLL_SECONDS)


def _rehearse(app: App) -> CheckAnswer:
    """Check and store nothing: no ledger is created, and an existing one stays as it is."""
    with app.find_ledger() as ledger:
        report = rehearse(app.settings, ledger, app.sink_settings(ledger), app.clock())
        return CheckAnswer(
            result=report.result,
            state=report.known,
            sent=0,
            outbox=app.summary(ledger),
            messages=report.plan.messages,
        )


def _to_json(answer: CheckAnswer, app: App) -> dict[str, object]:
    state, result = answer.state, answer.result
    pending = state.pending() if result.has_answer else ()
    new = [update for update in pending if str(update.version) in result.new]
    return {
        "installed_version": state.installed.text if state.installed else None,
        "queried_version": result.queried_version,
        "updates": list_updates(state, pending, new),
        "support": describe_support(state, app.clock()),
        "planned": result.planned,
        "sent": answer.sent,
        "deferred": answer.outbox.deferred,
        "failed": answer.outbox.failed,
    }


def _print(answer: CheckAnswer, app: App, arguments: Namespace) -> None:
    result, state = answer.result, answer.state
    branch = state.installed.branch if state.installed else ""
    if result.error:
        say(f"The check failed: {result.error}.")
        last = "; `status` shows the last good answer" if state.good_at else ""
        say(f"`mastodon-update-check doctor` explains the problem and suggests a fix{last}.")
    elif result.off_reason:
        say(f"Checking is off: {result.off_reason}.")
    if state.installed is not None:
        say(f"{app.settings.instance} runs Mastodon {state.installed.text}.")
    if result.has_answer:
        _print_updates(order_updates(state.pending(), branch))
    if state.support_ends_on is not None and branch:
        say(describe_end_of_support(branch, state.support_ends_on, app.clock()))
    for warning in state.warnings:
        say(f"Warning: {warning}.")
    _print_messages(answer, arguments)


def _print_messages(answer: CheckAnswer, arguments: Namespace) -> None:
    if arguments.dry_run:
        _print_plan(answer.messages)
    elif arguments.mark:
        say(f"{count(answer.result.marked, 'message')} marked as sent; nothing was sent.")
    else:
        say(f"{count(answer.result.planned, 'message')} planned, {answer.sent} sent.")
    if answer.outbox.undelivered:
        again = "They would be tried when they are due." if arguments.dry_run else "They are tried again."
        say(f"Not delivered yet: {answer.outbox.deferred} deferred, {answer.outbox.failed} refused. {again}")
    for line in list_undelivered(answer.outbox.latest):
        say(f"  {line}")


def _print_updates(updates: Iterable[UpdateNotice]) -> None:
    rows = [
        (str(one.version), ", ".join(filter(None, (one.type, "urgent" if one.urgent else ""))), one.release_notes)
        for one in updates
    ]
    say("Newer releases:" if rows else "Nothing newer is out.")
    versions, kinds = (max((len(row[column]) for row in rows), default=0) for column in (0, 1))
    for version, kind, notes in rows:
        say(f"  {version:{versions}}  {kind:{kinds}}  {notes}".rstrip())


def _print_plan(messages: Sequence[PlannedMessage]) -> None:
    say(f"{count(len(messages), 'message')} would be sent. Nothing was sent or stored.")
    for message in messages:
        to = f" to {message.recipient.address}" if message.recipient.address else ""
        say(f"  {message.recipient.sink}{to}: {', '.join(name_notice(one.notice) for one in message.decisions)}")
