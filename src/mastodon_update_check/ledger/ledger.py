"""The ledger: planned, sent and pending notices, durable before a message is sent.

A check reads, decides and writes in the same transaction, so the ledger cannot move between. A dry run takes the same
path on a view, which only reads.
"""

import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Concatenate, ParamSpec, Self, TypeVar

from mastodon_update_check.domain.outbox import Outcome, Settlement
from mastodon_update_check.domain.server.state import ServerState
from mastodon_update_check.ledger import attempts, history, processes, rows
from mastodon_update_check.ledger import summary as outbox
from mastodon_update_check.ledger.attempts import Attempt
from mastodon_update_check.ledger.engine import Transaction, reading
from mastodon_update_check.ledger.location import Location
from mastodon_update_check.ledger.results import record_attempt
from mastodon_update_check.ledger.sqlite_session import SqliteSession, open_empty

if TYPE_CHECKING:
    from mastodon_update_check.ledger.postgres_session import PostgresSession

P = ParamSpec("P")
T = TypeVar("T")


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
    rows.prune(transaction, now)


class LedgerView(Transaction):
    """The ledger's content for one instance, at one moment."""

    state = read_state
    deliveries = rows.read_deliveries
    unclosed_subjects = rows.read_unclosed
    summary = outbox.summarise
    sent_since = outbox.count_sent
    open_requests = processes.read_requests


class LedgerTransaction(LedgerView):
    """The owner's write transaction: no other process changes the ledger between its reads and its writes."""

    apply = rows.apply_plan
    keep_state = store_state
    mark_notified = rows.mark_notified
    lift_stops = attempts.lift_stops
    hurry = attempts.hurry
    hurry_changed = attempts.hurry_changed
    answer = processes.answer_request


def _in(
    begin: "Callable[[Ledger], AbstractContextManager[Transaction]]", operate: Callable[Concatenate[Transaction, P], T]
) -> "Callable[Concatenate[Ledger, P], T]":
    """Return the method that runs an operation in a transaction of its own."""

    def run(ledger: "Ledger", /, *arguments: P.args, **named: P.kwargs) -> T:
        with begin(ledger) as transaction:
            return operate(transaction, *arguments, **named)

    return run


class Ledger:
    """One connection to the ledger of one instance, used by one thread.

    Every method raises `LedgerError` when the ledger cannot be used, and has then changed nothing. Methods that
    change something are the owner's unless they say otherwise.
    """

    def __init__(self, session: "SqliteSession | PostgresSession", instance: str) -> None:
        self._session = session
        self.instance = instance

    @classmethod
    def open(cls, location: Location, instance: str, *, verify: bool = True) -> Self:
        """Open an existing ledger; `verify` looks for damage first."""
        return cls(location.open(verify=verify), instance)

    @classmethod
    def empty(cls, instance: str) -> Self:
        """Return a ledger in memory that stands for one that does not exist yet; it is only read."""
        return cls(open_empty(), instance)

    @classmethod
    def create(cls, location: Location, instance: str) -> Self:
        """Open a ledger, and create it if there is none."""
        if not location.exists():
            location.create()
        return cls.open(location, instance)

    def close(self) -> None:
        """Close the connection."""
        self._session.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def reading(self) -> Iterator[LedgerView]:
        """See the ledger as it is at one moment."""
        with self._session.reading() as connection:
            yield LedgerView(connection, self.instance)

    @contextmanager
    def writing(self) -> Iterator[LedgerTransaction]:
        """Hold the write transaction, durably committed at the end, or rolled back by any exception."""
        with self._session.writing() as connection:
            yield LedgerTransaction(connection, self.instance)

    @contextmanager
    def recording(self) -> Iterator[Transaction]:
        """Hold a write transaction for a fact that is true whichever process owns the ledger."""
        with self._session.recording() as connection:
            yield Transaction(connection, self.instance)

    def record(self, attempt: Attempt, settlement: Settlement, now: datetime) -> None:
        """Record the outcome of an attempt; an acceptance also when another process owns the ledger by now."""
        is_accepted = settlement.outcome is Outcome.SENT
        with self.recording() if is_accepted else self.writing() as transaction:
            record_attempt(transaction, attempt, settlement, now)

    def record_and_begin(
        self,
        attempt: Attempt,
        settlement: Settlement,
        ended_at: datetime,
        now: datetime,
        due_by: datetime,
        *,
        only_to: str = "",
    ) -> Attempt | None:
        """Record the outcome of an attempt and begin the sink's next one, with one commit instead of two."""
        with self.writing() as transaction:
            record_attempt(transaction, attempt, settlement, ended_at)
            sink = attempt.recipient.sink
            return attempts.begin_attempt(transaction, sink, attempt.settings, now, due_by, only_to=only_to)

    def instances(self) -> tuple[str, ...]:
        """Return the names of all instances that the ledger knows."""
        with self._session.reading() as connection:
            found = connection.execute("SELECT name FROM instance ORDER BY name").fetchall()
        return tuple(row["name"] for row in found)

    def fingerprint(self, text: str) -> str:
        """Return a hash that distinguishes two settings without revealing them: salted for this ledger alone."""
        with self._session.reading() as connection, reading():
            salt = connection.execute("SELECT value FROM meta WHERE key = 'salt'").fetchone()["value"]
        return hashlib.sha256(f"{salt}\n{text}".encode()).hexdigest()[:16]

    # One operation in a transaction of its own.
    state = _in(reading, read_state)
    summary = _in(reading, outbox.summarise)
    next_due_at = _in(reading, outbox.find_next_due)
    known_recipients = _in(reading, history.read_known_recipients)
    history = _in(reading, history.read_history)
    nodes = _in(reading, processes.read_nodes)
    answer = _in(reading, processes.read_answer)
    begin_attempt = _in(writing, attempts.begin_attempt)
    close_open_attempts = _in(writing, attempts.close_open_attempts)
    ask_owner = _in(recording, processes.add_request)
    withdraw = _in(recording, processes.withdraw_request)
