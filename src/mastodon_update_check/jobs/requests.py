"""Requests to the owner: what `retry` and `skip` change in the ledger, and the checks that a command asks for.

The same functions run in both places: in the command itself while no process owns the ledger, and in a child process of
the owner otherwise.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from mastodon_update_check.domain.planning.plan import Plan
from mastodon_update_check.domain.recipients import Reason
from mastodon_update_check.domain.server.skips import skip, skipped_rows, unskip
from mastodon_update_check.errors import UsageError
from mastodon_update_check.ledger.ledger import Ledger
from mastodon_update_check.ledger.processes import OwnerRequest


def answer_requests(ledger: Ledger, now: datetime) -> tuple[OwnerRequest, ...]:
    """Execute the requests that wait, as their owner; return those for a check, which come later."""
    checks = []
    with ledger.reading() as view:
        waiting = view.open_requests()
    for request in waiting:
        if request.kind == "check":
            checks.append(request)
            continue
        try:
            result: Mapping[str, Any] = execute_request(ledger, request.kind, request.arguments, now)
        except UsageError as error:
            result = {"usage_error": str(error)}
        with ledger.writing() as transaction:
            transaction.answer(request.id, result)
    return tuple(checks)


def execute_request(ledger: Ledger, kind: str, arguments: Mapping[str, Any], now: datetime) -> Mapping[str, Any]:
    """Execute one request. Raises `UsageError` when its arguments are wrong or its kind is not known."""
    match kind:
        case "retry":
            with ledger.writing() as transaction:
                messages, sinks, is_started = (arguments[name] for name in ("messages", "sinks", "stopped"))
                return {"hurried": transaction.hurry(messages, sinks, now, is_started=is_started)}
        case "skip":
            until = arguments.get("until_at")
            until_at = datetime.fromisoformat(until) if until else None
            return _skip(ledger, arguments["versions"], now, until_at)
        case "unskip":  # all or none of them; the next check plans their notices again
            undone = []
            with ledger.writing() as transaction:
                known = transaction.state()
                for text in arguments["versions"]:
                    known, lifted = unskip(known, text)
                    undone.append(str(lifted.version))
                transaction.keep_state(known, now)
            return {"versions": undone}
        case _:
            raise UsageError(f"the daemon does not know the request {kind!r}: restart it, it may be of another version")


def _skip(ledger: Ledger, texts: Sequence[str], now: datetime, until_at: datetime | None) -> Mapping[str, Any]:
    """Skip releases, all or none of them; with `until_at` only their reminders and alarms, until then."""
    with ledger.writing() as transaction:
        before = known = transaction.state()
        asked = []
        for text in texts:
            known, update = skip(known, text, now, until_at)
            asked.append(update)
        rows = [*skipped_rows(transaction.deliveries(()), known, now)]
        transaction.apply(Plan(made_at=now, changes=tuple(row.change(Reason.SKIPPED) for row in rows if row.is_open)))
        transaction.keep_state(known, now)
    # Older releases of the same branch are skipped with them.
    silenced = [one for one in known.pending() if known.is_silenced(one, now) and not before.is_silenced(one, now)]
    others = [update for update in silenced if update not in asked]
    return {
        "skipped": [str(update.version) for update in asked],
        "others": [str(update.version) for update in others],
        "urgent": [str(update.version) for update in (*asked, *others) if update.urgent],
        "cancelled": len({row.message_id for row in rows if row.is_open}),
        "under_way": len({row.message_id for row in rows if row.is_being_sent}),
    }
