"""Changes to the ledger: made by this process, or by the daemon that owns the ledger."""

import os
import signal
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import timedelta
from typing import Any

from mastodon_update_check.app import App
from mastodon_update_check.errors import LedgerError, UsageError
from mastodon_update_check.jobs.requests import execute_request
from mastodon_update_check.ledger.ledger import Ledger
from mastodon_update_check.terminal import progress

PATIENCE = timedelta(minutes=6)
"""How long a command waits for the owner: one check may take five minutes."""
POLL_SECONDS = 0.1
_NUDGE_EVERY = 20
"""Polls between two nudges: the owner may just have started, or ended, while the first one was sent."""

Execute = Callable[[Ledger], Mapping[str, Any]]


def change(app: App, kind: str, arguments: Mapping[str, object]) -> Mapping[str, Any]:
    """Have a change made; return its result. Raises what `ask_owner` raises."""
    with progress("Waiting for the daemon"):
        return ask_owner(app, kind, arguments, lambda ledger: execute_request(ledger, kind, arguments, app.clock()))


def ask_owner(app: App, kind: str, arguments: Mapping[str, object], execute: Execute) -> Mapping[str, Any]:
    """Have a request executed by the owner of the ledger, which is this process if there is no other.

    Raises `LedgerError` when the owner does not answer in time, `UsageError` when it rejects the arguments.
    """
    with app.owned_ledger() as owned:
        if owned is not None:
            return execute(owned)
    with app.open_ledger() as ledger:
        id_ = ledger.ask_owner(kind, arguments, app.clock())
        try:
            for poll in range(int(PATIENCE.total_seconds() / POLL_SECONDS)):
                answer = ledger.answer(id_)
                if answer is not None and "usage_error" in answer:
                    raise UsageError(str(answer["usage_error"]))
                if answer is not None:
                    return answer
                if poll % _NUDGE_EVERY == 0 and not _nudge_owner(app):
                    with app.owned_ledger() as owned:  # the owner has ended meanwhile
                        if owned is not None:
                            return execute(owned)
                time.sleep(POLL_SECONDS)
        finally:
            ledger.withdraw(id_)
    log_command = "`journalctl -u mastodon-update-check`"
    raise LedgerError(f"the daemon owns the ledger and does not answer: see its log, {log_command}")


def _nudge_owner(app: App) -> bool:
    """Ask the owner to read its requests; return whether there is an owner."""
    daemon = app.presence.owner()
    if daemon is not None and daemon.is_daemon and daemon.pid:
        with suppress(ProcessLookupError, PermissionError):  # it reads its requests at its next check
            os.kill(daemon.pid, signal.SIGUSR1)  # of no effect on a standby: its owner looks every 5 s
    return app.ledger_location.ownership(app.host).owner() is not None
