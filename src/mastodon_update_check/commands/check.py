"""`check`: one check, and one attempt at every due message."""

from argparse import Namespace
from dataclasses import dataclass

from mastodon_update_check.app import App
from mastodon_update_check.commands.common import Exit, load_app, print_json
from mastodon_update_check.core.messages.letter import long_date
from mastodon_update_check.core.messages.payload import describe_support, list_updates
from mastodon_update_check.jobs.check import CheckReport
from mastodon_update_check.jobs.rounds import deliver_round
from mastodon_update_check.ledger.ledger import Ledger
from mastodon_update_check.ledger.summary import OutboxSummary

_NOTHING_WAITS = OutboxSummary(deferred=0, failed=0, held_back=0, waiting_since=None, sinks=())


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What `check` has to say."""

    report: CheckReport
    sent: int
    outbox: OutboxSummary


def execute(arguments: Namespace) -> int:
    """Run one check; return the exit code."""
    app = load_app()
    result = _rehearse(app) if arguments.dry_run else _check(app)
    if arguments.json:
        print_json(_to_json(result, app))
    else:
        _print(result, app, is_rehearsal=arguments.dry_run)
    if result.report.error is not None:
        return Exit.FAILED
    return Exit.INCOMPLETE if result.outbox.undelivered else Exit.DONE


def _check(app: App) -> Result:
    with app.create_ledger() as ledger:
        report = app.check(ledger)
        sent = deliver_round(app.couriers(ledger), app.clock())
        return Result(report=report, sent=sent, outbox=ledger.summary(app.settings.instance, app.clock()))


def _rehearse(app: App) -> Result:
    """Check against a copy of nothing: without a ledger there is none made, and what there is stays as it is."""
    if not app.ledger_path.exists():
        return Result(report=app.check(None, dry_run=True), sent=0, outbox=_NOTHING_WAITS)
    with Ledger.open(app.ledger_path) as ledger:
        report = app.check(ledger, dry_run=True)
        return Result(report=report, sent=0, outbox=ledger.summary(app.settings.instance, app.clock()))


def _to_json(result: Result, app: App) -> dict[str, object]:
    known = result.report.knowledge
    pending = known.pending() if result.report.error is None else ()
    new = {one.notice for message in result.report.plan.messages for one in message.decisions}
    return {
        "installed_version": known.installed.text if known.installed else None,
        "queried_version": result.report.queried_version,
        "updates": list_updates(pending, [update for update in pending if update in new], known.installed),
        "support": describe_support(known.support_ends_on, known.support_at(app.clock()), known.installed),
        "planned": len(result.report.plan.messages),
        "sent": result.sent,
        "deferred": result.outbox.deferred,
        "failed": result.outbox.failed,
        "error": str(result.report.error) if result.report.error else None,
        "warnings": list(known.warnings),
    }


def _print(result: Result, app: App, *, is_rehearsal: bool) -> None:
    report, known = result.report, result.report.knowledge
    if report.error is not None:
        print(f"The check failed: {report.error}.")
    elif report.off_reason:
        print(f"Checking is off: {report.off_reason}.")
    if known.installed is not None:
        print(f"{app.settings.instance} runs Mastodon {known.installed.text}.")
    if report.error is None and not report.off_reason:
        _print_updates(result)
    if known.support_ends_on is not None and known.installed is not None:
        print(f"Support for {known.installed.branch} ends on {long_date(known.support_ends_on)}.")
    for warning in known.warnings:
        print(f"Warning: {warning}.")
    _print_deliveries(result, is_rehearsal=is_rehearsal)


def _print_updates(result: Result) -> None:
    pending = result.report.knowledge.pending()
    if not pending:
        print("Nothing newer is out.")
    for update in pending:
        marks = " ".join(filter(None, ("urgent" if update.urgent else "", update.type or "")))
        print(f"  {update.version}  {marks}  {update.release_notes}".rstrip())


def _print_deliveries(result: Result, *, is_rehearsal: bool) -> None:
    planned = result.report.plan.messages
    if is_rehearsal:
        print(f"{_count(len(planned))} would be sent; nothing was changed.")
        for message in planned:
            reasons = ", ".join(sorted({one.reason.replace("_", " ") for one in message.decisions}))
            print(f"  {message.recipient.sink}: {message.recipient.address or message.recipient.sink} ({reasons})")
        return
    print(f"{_count(len(planned))} planned, {result.sent} sent.")
    outbox = result.outbox
    if outbox.undelivered:
        print(f"Not delivered yet: {outbox.deferred} deferred, {outbox.failed} refused. They are tried again.")
        for sink in outbox.sinks:
            if sink.failing_since is not None:
                print(f"  {sink.name}: {sink.reply}")


def _count(number: int) -> str:
    return f"{number} message{'' if number == 1 else 's'}"
