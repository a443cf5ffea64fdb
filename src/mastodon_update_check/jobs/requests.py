"""Requests to the owner: what `retry` and `skip` change in the ledger, and the checks that a command asks for.

The same functions run in both places: in the command itself while no process owns the ledger, and in a child process of
the owner otherwise.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from mastodon_update_check.errors import UsageError
from mastodon_update_check.jobs.skips import skip_releases, unskip_releases
from mastodon_update_check.ledger.ledger import Ledger
from mastodon_update_check.ledger.requests import OwnerRequest


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
    """Execute one request.

    Raises:
        UsageError: its arguments are wrong, or its kind is not known to this version of the program.
    """
    match kind:
        case "retry":
            with ledger.writing() as transaction:
                hurried = transaction.hurry(
                    arguments["messages"], arguments["sinks"], now, is_started=arguments["stopped"]
                )
            return {"hurried": hurried}
        case "skip":
            until = arguments.get("until_at")
            until_at = datetime.fromisoformat(until) if until else None
            return skip_releases(ledger, arguments["versions"], now, until_at).to_json()
        case "unskip":
            return {"versions": [str(skip.version) for skip in unskip_releases(ledger, arguments["versions"], now)]}
        case _:
            raise UsageError(
                f"the daemon does not know the request {kind!r}: restart it, so that both are of one version"
            )
