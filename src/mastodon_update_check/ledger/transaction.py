"""The ledger inside one transaction: a view that only reads, and a transaction in which the owner decides and writes.

A check reads, decides and writes in the same transaction, so the ledger cannot move between. A dry run takes the same
path on a view.
"""

import json
from datetime import datetime

from mastodon_update_check.domain.server.state import ServerState
from mastodon_update_check.ledger import follow_ups, requests, retries, rows, upkeep
from mastodon_update_check.ledger import summary as outbox
from mastodon_update_check.ledger.engine import Transaction
from mastodon_update_check.ledger.stored import reading


def read_state(transaction: Transaction) -> ServerState:
    """Return the state of the server."""
    row = transaction.execute("SELECT knowledge FROM instance WHERE name = :instance").fetchone()
    with reading():
        return ServerState.from_json(json.loads(row["knowledge"])) if row else ServerState()


def store_state(transaction: Transaction, state: ServerState, now: datetime) -> None:
    """Store the state of the server, and delete rows that are not needed any more."""
    transaction.execute(
        "INSERT INTO instance (name, knowledge) VALUES (:instance, :state) "
        "ON CONFLICT (name) DO UPDATE SET knowledge = excluded.knowledge",
        state=json.dumps(state.to_json()),
    )
    upkeep.prune(transaction, now)


class LedgerView(Transaction):
    """The ledger's content for one instance, at one moment."""

    state = read_state
    deliveries = rows.read_deliveries
    unclosed_subjects = follow_ups.read_unclosed
    summary = outbox.summarise
    sent_since = outbox.count_sent
    open_requests = requests.read_requests


class LedgerTransaction(LedgerView):
    """The owner's write transaction: no other process changes the ledger between its reads and its writes."""

    apply = rows.apply_plan
    keep_state = store_state
    mark_notified = rows.mark_notified
    lift_stops = retries.lift_stops
    hurry = retries.hurry
    hurry_changed = retries.hurry_changed
    answer = requests.answer_request
