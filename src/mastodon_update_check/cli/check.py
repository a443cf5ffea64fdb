"""`check`: one check, and one attempt at every due message."""

import time
from argparse import Namespace
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from mastodon_update_check.app import App
from mastodon_update_check.cli.common import (
    Exit,
    count,
    describe_end_of_support,
    describe_troubles,
    load_app,
    print_json,
)
from mastodon_update_check.cli.owner import POLL_SECONDS, ask_owner
from mastodon_update_check.cli.terminal import progress, say
from mastodon_update_check.domain.notices import InstalledNotice, Notice, ReminderNotice, SupportNotice, UpdateNotice
from mastodon_update_check.domain.planning.plan import PlannedMessage
from mastodon_update_check.domain.server.state import ServerState
from mastodon_update_check.jobs.check import CheckOptions, CheckReport, rehearse
from mastodon_update_check.jobs.check_result import CheckResult
from mastodon_update_check.jobs.deliver import deliver_round
from mastodon_update_check.ledger.ledger import Ledger
from mastodon_update_check.ledger.summary import OutboxSummary
from mastodon_update_check.messages.payload import describe_support, list_updates
from mastodon_update_check.messages.release_parts import order_updates

NOTICES_SHOWN = 5
"""How many notices of one message are named by `--dry-run`."""
ATTEMPTS_PATIENCE = timedelta(minutes=2)
"""How long to wait for the daemon to try what is due: every built-in sink takes less."""
_EMPTY = OutboxSummary(deferred=0, failed=0, held_back=0, waiting_since=None, sinks=())


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckAnswer:
    """Everything that `check` prints."""

    result: CheckResult
    state: ServerState
    sent: int
    outbox: OutboxSummary
    messages: tuple[PlannedMessage, ...] = ()
    """Of a dry run: what would be sent."""


def execute(arguments: Namespace) -> int:
    """Run one check; return the exit code."""
    app = load_app(arguments)
    with progress("Checking"):
        answer = _rehearse(app) if arguments.dry_run else _check(app, mark=arguments.mark)
    if arguments.json:
        print_json(_to_json(answer, app))
    else:
        _print(answer, app, is_rehearsal=arguments.dry_run, is_marking=arguments.mark)
    if answer.result.error:
        return Exit.FAILED
    return Exit.INCOMPLETE if answer.outbox.undelivered else Exit.DONE


def _check(app: App, *, mark: bool) -> CheckAnswer:
    """Check as the owner of the ledger, or have the daemon check, and wait until it has tried what is due."""
    done: list[int] = []

    def run(ledger: Ledger) -> Mapping[str, Any]:
        report = app.run_check(ledger, CheckOptions(mark=mark))
        done.append(0 if mark else deliver_round(app.delivery_lanes(ledger), app.clock()))
        app.finish_check(ledger, report)
        return CheckResult.of(report).to_json()

    result = CheckResult.from_json(ask_owner(app, "check", {"mark": mark}, run))
    with app.open_ledger() as ledger:
        if not done and not mark:
            _wait_for_attempts(app, ledger, result.started_at)
        with ledger.reading() as view:
            sent = done[0] if done else view.sent_since(result.started_at)
            return CheckAnswer(result=result, state=view.state(), sent=sent, outbox=app.summary(ledger))


def _wait_for_attempts(app: App, ledger: Ledger, since: datetime) -> None:
    """Wait until the daemon has tried what was due at the check; a sink that hangs is not waited for long."""
    end = time.monotonic() + ATTEMPTS_PATIENCE.total_seconds()
    while time.monotonic() < end:
        with ledger.reading() as view:
            if not view.is_anything_due(since, app.settings.sink_names):
                return
        time.sleep(POLL_SECONDS)


def _rehearse(app: App) -> CheckAnswer:
    """Check and store nothing: no ledger is created, and an existing one stays as it is."""
    found = app.find_ledger()
    if found is None:
        return _answer(rehearse(app.settings, None, app.sink_settings(None), app.clock), _EMPTY)
    with found as ledger:
        return _answer(rehearse(app.settings, ledger, app.sink_settings(ledger), app.clock), app.summary(ledger))


def _answer(report: CheckReport, outbox: OutboxSummary) -> CheckAnswer:
    return CheckAnswer(
        result=CheckResult.of(report), state=report.knowledge, sent=0, outbox=outbox, messages=report.plan.messages
    )


def _to_json(answer: CheckAnswer, app: App) -> dict[str, object]:
    state, result = answer.state, answer.result
    pending = state.pending() if result.has_answer else ()
    new = [update for update in pending if str(update.version) in result.new]
    return {
        "installed_version": state.installed.text if state.installed else None,
        "queried_version": result.queried_version,
        "updates": list_updates(state, pending, new),
        "support": describe_support(state.support_ends_on, state.support_at(app.clock()), state.installed),
        "planned": result.planned,
        "sent": answer.sent,
        "deferred": answer.outbox.deferred,
        "failed": answer.outbox.failed,
    }


def _print(answer: CheckAnswer, app: App, *, is_rehearsal: bool, is_marking: bool) -> None:
    result, known = answer.result, answer.state
    if result.error:
        say(f"The check failed: {result.error}.")
        last = "; `status` shows the last good answer" if known.good_at else ""
        say(f"`mastodon-update-check doctor` explains the problem and suggests a fix{last}.")
    elif result.off_reason:
        say(f"Checking is off: {result.off_reason}.")
    if known.installed is not None:
        say(f"{app.settings.instance} runs Mastodon {known.installed.text}.")
    if result.has_answer:
        _print_updates(known.pending(), known.installed.branch if known.installed else "")
    if known.support_ends_on is not None and known.installed is not None:
        say(f"{describe_end_of_support(known.installed.branch, known.support_ends_on, app.clock())}.")
    for warning in known.warnings:
        say(f"Warning: {warning}.")
    if is_rehearsal:
        _print_plan(answer.messages)
    elif is_marking:
        say(f"{count(result.marked, 'message')} marked as sent; nothing was sent.")
    else:
        say(f"{count(result.planned, 'message')} planned, {answer.sent} sent.")
    _print_outbox(answer.outbox, is_rehearsal=is_rehearsal)


def _print_updates(pending: Iterable[UpdateNotice], branch: str) -> None:
    rows = [(str(one.version), _kind(one), one.release_notes) for one in order_updates([*pending], branch)]
    if not rows:
        say("Nothing newer is out.")
        return
    print("Newer releases:")
    versions, kinds = (max(len(row[column]) for row in rows) for column in (0, 1))
    for version, kind, notes in rows:
        print(f"  {version:{versions}}  {kind:{kinds}}  {notes}".rstrip())


def _kind(update: UpdateNotice) -> str:
    return ", ".join(filter(None, (str(update.type or ""), "urgent" if update.urgent else "")))


def _print_plan(planned: tuple[PlannedMessage, ...]) -> None:
    say(f"{count(len(planned), 'message')} would be sent; nothing was sent, nothing was written down.")
    for message in planned:
        to = f" to {message.recipient.address}" if message.recipient.address else ""
        names = [_name(one.notice) for one in message.decisions]
        more = f" and {len(names) - NOTICES_SHOWN} more" if len(names) > NOTICES_SHOWN else ""
        say(f"{message.recipient.sink}{to}: {', '.join(names[:NOTICES_SHOWN])}{more}", "  ", "    ")


def _name(notice: Notice) -> str:
    match notice:
        case UpdateNotice():
            return f"{notice.version} (urgent)" if notice.urgent else str(notice.version)
        case ReminderNotice():
            return f"a reminder of {_name(notice.update)}"
        case InstalledNotice():
            return f"{notice.update.version} is installed"
        case SupportNotice():
            return f"the end of support for {notice.branch}"
        case _:
            return "a notice about this tool"


def _print_outbox(outbox: OutboxSummary, *, is_rehearsal: bool) -> None:
    if not outbox.undelivered:
        return
    again = "They would be tried when they are due." if is_rehearsal else "They are tried again."
    say(f"Not delivered yet: {outbox.deferred} deferred, {outbox.failed} refused. {again}")
    for line in describe_troubles(outbox.latest):
        say(line, "  ", "    ")
