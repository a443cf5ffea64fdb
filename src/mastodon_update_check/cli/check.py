"""`check`: one check, and one attempt at every due message."""

from argparse import Namespace
from collections.abc import Iterable
from dataclasses import dataclass

from mastodon_update_check.app import App
from mastodon_update_check.cli.common import (
    Exit,
    count,
    describe_end_of_support,
    describe_troubles,
    load_app,
    print_json,
)
from mastodon_update_check.domain.notices import InstalledNotice, Notice, ReminderNotice, SupportNotice, UpdateNotice
from mastodon_update_check.domain.planning import PlannedMessage
from mastodon_update_check.jobs.check import CheckReport
from mastodon_update_check.jobs.rounds import deliver_round
from mastodon_update_check.ledger.summary import OutboxSummary
from mastodon_update_check.messages.payload import describe_support, list_updates
from mastodon_update_check.messages.release_parts import order_updates

NOTICES_SHOWN = 5
"""How many notices of one message are named by `--dry-run`."""
_NOTHING_WAITS = OutboxSummary(deferred=0, failed=0, held_back=0, waiting_since=None, sinks=())


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What `check` has to say."""

    report: CheckReport
    sent: int
    outbox: OutboxSummary
    is_marking: bool = False


def execute(arguments: Namespace) -> int:
    """Run one check; return the exit code."""
    app = load_app()
    result = _rehearse(app) if arguments.dry_run else _check(app, mark=arguments.mark)
    if arguments.json:
        print_json(_to_json(result, app))
    else:
        _print(result, app, is_rehearsal=arguments.dry_run)
    if result.report.error is not None:
        return Exit.FAILED
    return Exit.INCOMPLETE if result.outbox.undelivered else Exit.DONE


def _check(app: App, *, mark: bool) -> Result:
    with app.create_ledger() as ledger:
        app.heartbeat.begin()
        report = app.check(ledger, mark=mark, warnings=app.heartbeat.warnings)
        sent = 0 if mark else deliver_round(app.couriers(ledger), app.clock())
        outbox = app.summary(ledger)
        app.publish(ledger)
        app.heartbeat.finish(str(report.error or ""), outbox.waiting_since, app.clock())
        return Result(report=report, sent=sent, outbox=outbox, is_marking=mark)


def _rehearse(app: App) -> Result:
    """Check and write nothing down: no ledger is made, and one that there is stays as it is."""
    found = app.find_ledger()
    if found is None:
        return Result(report=app.check(None, dry_run=True), sent=0, outbox=_NOTHING_WAITS)
    with found as ledger:
        report = app.check(ledger, dry_run=True)
        return Result(report=report, sent=0, outbox=app.summary(ledger))


def _to_json(result: Result, app: App) -> dict[str, object]:
    known = result.report.knowledge
    pending = known.pending() if result.report.has_answer else ()
    new = {one.notice for message in result.report.plan.messages for one in message.decisions}
    return {
        "installed_version": known.installed.text if known.installed else None,
        "queried_version": result.report.queried_version,
        "updates": list_updates(known, pending, [update for update in pending if update in new]),
        "support": describe_support(known.support_ends_on, known.support_at(app.clock()), known.installed),
        "planned": len(result.report.plan.messages),
        "sent": result.sent,
        "deferred": result.outbox.deferred,
        "failed": result.outbox.failed,
    }


def _print(result: Result, app: App, *, is_rehearsal: bool) -> None:
    report, known = result.report, result.report.knowledge
    if report.error is not None:
        print(f"The check failed: {report.error}.")
        last = "; `status` shows the last good answer" if known.good_at else ""
        print(f"`mastodon-update-check doctor` says more, and what to do{last}.")
    elif report.off_reason:
        print(f"Checking is off: {report.off_reason}.")
    if known.installed is not None:
        print(f"{app.settings.instance} runs Mastodon {known.installed.text}.")
    if report.has_answer:
        _print_updates(known.pending(), known.installed.branch if known.installed else "")
    if known.support_ends_on is not None and known.installed is not None:
        print(f"{describe_end_of_support(known.installed.branch, known.support_ends_on, app.clock())}.")
    for warning in known.warnings:
        print(f"Warning: {warning}.")
    if is_rehearsal:
        _print_plan(report.plan.messages)
    elif result.is_marking:
        print(f"{count(report.marked, 'message')} marked as told; nothing was sent.")
    else:
        print(f"{count(len(report.plan.messages), 'message')} planned, {result.sent} sent.")
    _print_outbox(result.outbox, is_rehearsal=is_rehearsal)


def _print_updates(pending: Iterable[UpdateNotice], branch: str) -> None:
    rows = [(str(one.version), _kind(one), one.release_notes) for one in order_updates([*pending], branch)]
    if not rows:
        print("Nothing newer is out.")
        return
    print("Newer releases:")
    versions, kinds = (max(len(row[column]) for row in rows) for column in (0, 1))
    for version, kind, notes in rows:
        print(f"  {version:{versions}}  {kind:{kinds}}  {notes}".rstrip())


def _kind(update: UpdateNotice) -> str:
    return ", ".join(filter(None, (str(update.type or ""), "urgent" if update.urgent else "")))


def _print_plan(planned: tuple[PlannedMessage, ...]) -> None:
    print(f"{count(len(planned), 'message')} would be sent; nothing was sent, nothing was written down.")
    for message in planned:
        to = f" to {message.recipient.address}" if message.recipient.address else ""
        names = [_name(one.notice) for one in message.decisions]
        more = f" and {len(names) - NOTICES_SHOWN} more" if len(names) > NOTICES_SHOWN else ""
        print(f"  {message.recipient.sink}{to}: {', '.join(names[:NOTICES_SHOWN])}{more}")


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
    print(f"Not delivered yet: {outbox.deferred} deferred, {outbox.failed} refused. {again}")
    for line in describe_troubles(outbox.troubles):
        print(f"  {line}")
