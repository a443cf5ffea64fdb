"""`check`: one check, and one attempt at every due message."""

import time
from argparse import Namespace
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from mastodon_update_check.app import App
from mastodon_update_check.cli.output import Exit, describe_end_of_support, print_answer
from mastodon_update_check.cli.owner import POLL_SECONDS, ask_owner
from mastodon_update_check.domain.planning.plan import PlannedMessage
from mastodon_update_check.domain.server.state import ServerState
from mastodon_update_check.domain.stored_json import from_json, to_json
from mastodon_update_check.domain.text import count
from mastodon_update_check.errors import LedgerError
from mastodon_update_check.jobs.check import CheckOptions, CheckResult, check
from mastodon_update_check.ledger.ledger import Ledger
from mastodon_update_check.ledger.summary import OutboxSummary
from mastodon_update_check.messages.explanations import name_notice
from mastodon_update_check.messages.payload import describe_support, list_updates
from mastodon_update_check.messages.release_parts import order_updates
from mastodon_update_check.monitoring.details import list_undelivered
from mastodon_update_check.terminal import progress

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
    print_answer(arguments, _to_json(answer, app), _write(answer, app, arguments))
    if answer.result.error:
        return Exit.FAILED
    return Exit.INCOMPLETE if answer.outbox.undelivered else Exit.DONE


def _rehearse(app: App) -> CheckAnswer:
    """Check and store nothing: no ledger is created, and an existing one stays as it is."""
    with app.find_ledger() as ledger:
        report = check(app.settings, ledger, app.sink_settings(ledger), app.clock(), CheckOptions(dry_run=True))
        outbox, messages = app.summary(ledger), report.plan.messages
    return CheckAnswer(result=report.result, state=report.known, sent=0, outbox=outbox, messages=messages)


def _check(app: App, *, mark: bool) -> CheckAnswer:
    """Check as the owner of the ledger, or have the daemon check, and wait until it has tried what is due."""
    sent: int | None = None

    def run(ledger: Ledger) -> Mapping[str, Any]:
        nonlocal sent
        report, sent = app.run_check(ledger, CheckOptions(mark=mark)), 0
        if not mark:
            deliveries = app.deliveries(ledger, due_by=app.clock())
            deliveries.run(ledger)
            sent = deliveries.sent
            if deliveries.problems:
                raise LedgerError(deliveries.problems[0])
        app.finish_check(ledger, report)
        answer: Mapping[str, Any] = to_json(report.result)
        return answer

    result: CheckResult = from_json(CheckResult, ask_owner(app, "check", {"mark": mark}, run))
    with app.open_ledger() as ledger:
        if sent is None and not mark:  # a sink of the daemon's that hangs is not waited for long
            end = time.monotonic() + _ATTEMPTS_PATIENCE.total_seconds()
            while (at := app.next_due_at(ledger)) is not None and at <= result.began_at and time.monotonic() < end:
                time.sleep(POLL_SECONDS)
        with ledger.reading() as view:
            sent = view.sent_since(result.began_at) if sent is None else sent
            outbox = view.summary(app.clock(), app.settings.sink_names)
            return CheckAnswer(result=result, state=view.state(), sent=sent, outbox=outbox)


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


def _write(answer: CheckAnswer, app: App, arguments: Namespace) -> Iterator[str]:
    result, state, outbox = answer.result, answer.state, answer.outbox
    branch = state.installed.branch if state.installed else ""
    if result.error:
        yield f"The check failed: {result.error}."
        last = "; `status` shows the last good answer" if state.good_at else ""
        yield f"`mastodon-update-check doctor` explains the problem and suggests a fix{last}."
    elif result.off_reason:
        yield f"Checking is off: {result.off_reason}."
    if state.installed is not None:
        yield f"{app.settings.instance} runs Mastodon {state.installed.text}."
    if result.has_answer:
        yield from _write_updates(state, branch)
    if state.support_ends_on is not None and branch:
        yield describe_end_of_support(branch, state.support_ends_on, app.clock())
    for warning in state.warnings:
        yield f"Warning: {warning}."
    yield from _write_messages(answer, arguments)
    if outbox.undelivered:
        yield f"Not delivered yet: {outbox.deferred} deferred, {outbox.failed} refused; `status` says more."
    yield from (f"  {line}" for line in list_undelivered(outbox.latest))


def _write_updates(state: ServerState, branch: str) -> Iterator[str]:
    rows = [
        (str(one.version), ", ".join(filter(None, (one.type, "urgent" if one.urgent else ""))), one.release_notes)
        for one in order_updates(state.pending(), branch)
    ]
    yield "Newer releases:" if rows else "Nothing newer is out."
    versions, kinds = (max((len(row[column]) for row in rows), default=0) for column in (0, 1))
    yield from (f"  {version:{versions}}  {kind:{kinds}}  {notes}".rstrip() for version, kind, notes in rows)


def _write_messages(answer: CheckAnswer, arguments: Namespace) -> Iterator[str]:
    if arguments.dry_run:
        yield f"{count(len(answer.messages), 'message')} would be sent. Nothing was sent or stored."
        for message in answer.messages:
            to = f" to {message.recipient.address}" if message.recipient.address else ""
            yield f"  {message.recipient.sink}{to}: {', '.join(name_notice(one.notice) for one in message.decisions)}"
    elif arguments.mark:
        yield f"{count(answer.result.marked, 'message')} marked as sent; nothing was sent."
    else:
        yield f"{count(answer.result.planned, 'message')} planned, {answer.sent} sent."
