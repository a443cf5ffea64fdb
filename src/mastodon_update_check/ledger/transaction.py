"""The ledger inside one transaction: a view that only reads, and a transaction in which the owner decides and writes.

A check reads, decides and writes in the same transaction, so the ledger cannot move between. A dry run takes the same
path on a view.
"""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING

from mastodon_update_check.domain.outbox import Delivery
from mastodon_update_check.domain.server.state import ServerState
from mastodon_update_check.ledger import follow_ups, history, marking, requests, retries, rows, summary, upkeep
from mastodon_update_check.ledger.engine import Connection
from mastodon_update_check.ledger.history import HistoryEntry, KnownRecipient
from mastodon_update_check.ledger.problems import reading
from mastodon_update_check.ledger.requests import OwnerRequest
from mastodon_update_check.ledger.summary import OutboxSummary

if TYPE_CHECKING:
    from mastodon_update_check.domain.planning.plan import Plan
    from mastodon_update_check.domain.recipients import FollowUps, Recipient


class LedgerView:
    """The ledger's content for one instance, at one moment."""

    def __init__(self, connection: Connection, instance: str) -> None:
        self._connection = connection
        self.instance = instance

    def state(self) -> ServerState:
        """Return the state of the server."""
        row = self._connection.execute("SELECT knowledge FROM instance WHERE name = ?", (self.instance,)).fetchone()
        with reading("the state of the server"):
            return _read_state(row["knowledge"]) if row else ServerState()

    def deliveries(self, subjects: Iterable[str]) -> tuple[Delivery, ...]:
        """Return the instance's open rows, and all rows of the given subjects."""
        return rows.read_deliveries(self._connection, self.instance, subjects)

    def unclosed_subjects(self, closure: "FollowUps") -> frozenset[str]:
        """Return the subjects for which an `is installed` notice may be due."""
        return follow_ups.unclosed_subjects(self._connection, self.instance, closure)

    def summary(self, now: datetime, sinks: Collection[str] | None = None) -> OutboxSummary:
        """Count undelivered messages, only those of `sinks` if given."""
        return summary.summarise(self._connection, self.instance, now, sinks)

    def next_due_at(self, sink: str, now: datetime, *, only_to: str = "") -> datetime | None:
        """Return the next due time of a sink."""
        return summary.next_due_at(self._connection, self.instance, sink, only_to, now)

    def sent_since(self, since: datetime) -> int:
        """Count the messages that were accepted since an instant."""
        return summary.sent_since(self._connection, self.instance, since)

    def is_anything_due(self, since: datetime, sinks: Collection[str]) -> bool:
        """Whether a message of these sinks waits that was due at `since`, and has not been tried after it."""
        return summary.is_anything_due(self._connection, self.instance, since, sinks)

    def history(
        self, *, subject: str = "", recipient_key: str = "", is_undelivered: bool = False
    ) -> tuple[HistoryEntry, ...]:
        """Return rows with their attempts, oldest first."""
        return history.read_history(
            self._connection,
            self.instance,
            subject=subject,
            recipient_key=recipient_key,
            is_undelivered=is_undelivered,
        )

    def known_recipients(self) -> tuple[KnownRecipient, ...]:
        """Return every recipient that the ledger has rows for."""
        return history.read_known_recipients(self._connection, self.instance)

    def open_requests(self) -> tuple[OwnerRequest, ...]:
        """Return the requests that wait for an answer."""
        return requests.open_requests(self._connection, self.instance)


class LedgerTransaction(LedgerView):
    """The owner's write transaction: no other process changes the ledger between its reads and its writes."""

    def apply(self, plan: "Plan") -> None:
        """Store a plan."""
        rows.apply_plan(self._connection, self.instance, plan)

    def keep_state(self, state: ServerState, now: datetime) -> None:
        """Store the state of the server, and delete rows that are not needed any more."""
        self._connection.execute(
            "INSERT INTO instance (name, knowledge) VALUES (?, ?) "
            "ON CONFLICT (name) DO UPDATE SET knowledge = excluded.knowledge",
            (self.instance, json.dumps(state.to_json())),
        )
        upkeep.prune(self._connection, now)

    def mark_notified(self, now: datetime) -> int:
        """Mark pending notices as sent without sending them; return how many messages that were."""
        return marking.mark_notified(self._connection, self.instance, now)

    def lift_stops(self, recipients: "Sequence[Recipient]") -> None:
        """Clear the stops of former URLs of webhooks (HTTP 410)."""
        retries.lift_stops(self._connection, self.instance, recipients)

    def hurry(self, message_ids: Collection[str], sinks: Collection[str], now: datetime, *, is_started: bool) -> int:
        """Make messages and waiting sinks due now; with `is_started` also sinks that were stopped (HTTP 410)."""
        retries.wake_sinks(self._connection, self.instance, sinks, is_started=is_started)
        return retries.hurry_messages(self._connection, message_ids, now)

    def hurry_changed(self, sinks: "Mapping[str, str]", now: datetime) -> None:
        """Make messages due whose sink has other settings now; `sinks` has the fingerprint of each."""
        for sink, settings in sinks.items():
            retries.hurry_changed(self._connection, self.instance, sink, settings, now)

    def answer(self, request_id: str, result: Mapping[str, object]) -> None:
        """Answer a request."""
        requests.answer_request(self._connection, request_id, result)


@lru_cache(maxsize=1)  # each message of a round is composed with it
def _read_state(text: str) -> ServerState:
    return ServerState.from_json(json.loads(text))
