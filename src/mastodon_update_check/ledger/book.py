"""The ledger inside one write transaction, in which a check reads, decides and writes."""

import json
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from mastodon_update_check.domain.outbox import Delivery
from mastodon_update_check.domain.server_state import ServerState
from mastodon_update_check.ledger import follow_ups, marking, nodes, retries, rows, summary, upkeep
from mastodon_update_check.ledger.engine import Connection
from mastodon_update_check.ledger.failures import reading
from mastodon_update_check.ledger.nodes import Turn
from mastodon_update_check.ledger.summary import OutboxSummary

if TYPE_CHECKING:
    from mastodon_update_check.domain.planning import Plan
    from mastodon_update_check.domain.recipients import FollowUps, Recipient


class Book:
    """The ledger inside its write transaction: what is read here cannot move before it is written."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def knowledge(self, instance: str) -> ServerState:
        """Return what is known about the instance."""
        return read_knowledge(find_knowledge(self._connection, instance))

    def deliveries(self, instance: str, subjects: Iterable[str], now: datetime) -> tuple[Delivery, ...]:
        """Return the instance's open rows, and all rows of the given subjects."""
        return rows.read_deliveries(self._connection, instance, subjects, self._connection.correct(now))

    def unclosed_subjects(self, instance: str, closure: "FollowUps") -> frozenset[str]:
        """Return the subjects of which somebody may have to be told that they are installed."""
        return follow_ups.unclosed_subjects(self._connection, instance, closure)

    def summary(self, instance: str, now: datetime, sinks: Collection[str] | None = None) -> OutboxSummary:
        """Count what is not delivered yet, by the sinks that are configured if they are given."""
        return summary.summarise(self._connection, instance, now, sinks)

    def keep_turn(self, turn: Turn, until: datetime) -> bool:
        """Keep the turn in the middle of a check; False when it is lost."""
        return nodes.keep_turn(self._connection, turn, self._connection.correct(until), checking=True)

    def lift_stops(self, instance: str, recipients: "Sequence[Recipient]") -> None:
        """Forget what former URLs of webhooks have asked for."""
        retries.lift_stops(self._connection, instance, recipients)

    def apply(self, instance: str, plan: "Plan") -> None:
        """Store a plan."""
        rows.apply_plan(self._connection, instance, plan)

    def mark_told(self, instance: str, now: datetime) -> int:
        """Mark what waits as told without sending it; return how many messages that were."""
        return marking.mark_told(self._connection, instance, now)

    def keep_knowledge(self, instance: str, knowledge: ServerState, now: datetime) -> None:
        """Store what is known about the instance, and drop what is long over."""
        self._connection.execute(
            "INSERT INTO instance (name, knowledge) VALUES (?, ?) "
            "ON CONFLICT (name) DO UPDATE SET knowledge = excluded.knowledge",
            (instance, json.dumps(knowledge.to_json())),
        )
        upkeep.prune(self._connection, now)


def find_knowledge(connection: Connection, instance: str) -> str:
    """Return what is written about an instance; nothing when it is unknown."""
    row = connection.execute("SELECT knowledge FROM instance WHERE name = ?", (instance,)).fetchone()
    return "" if row is None else row["knowledge"]


def read_knowledge(written: str) -> ServerState:
    """Return what is known about an instance, from what is written about it."""
    with reading("what is known of an instance"):
        return ServerState.from_json(json.loads(written)) if written else ServerState()
