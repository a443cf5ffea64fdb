"""The ledger: planned, sent and pending notices, durable before a message is sent."""

import hashlib
import os
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, Self

from mastodon_update_check.domain.outbox import Outcome, Settlement
from mastodon_update_check.domain.server.state import ServerState
from mastodon_update_check.ledger import attempts, nodes, requests, results
from mastodon_update_check.ledger.attempts import Attempt
from mastodon_update_check.ledger.engine import Location, Session
from mastodon_update_check.ledger.history import HistoryEntry, KnownRecipient
from mastodon_update_check.ledger.nodes import Node
from mastodon_update_check.ledger.problems import reading
from mastodon_update_check.ledger.sqlite import SqliteLocation, SqliteSession
from mastodon_update_check.ledger.sqlite_file import open_empty
from mastodon_update_check.ledger.summary import OutboxSummary
from mastodon_update_check.ledger.transaction import LedgerTransaction, LedgerView


class Ledger:
    """One connection to the ledger of one instance, used by one thread.

    Every method raises `LedgerError` when the ledger cannot be used, and has then changed nothing. Methods that
    change something are the owner's (`ownership.py`) unless they say otherwise.
    """

    def __init__(self, session: Session, instance: str) -> None:
        self._session = session
        self.instance = instance

    @classmethod
    def open(cls, where: Location | Path, instance: str, *, verify: bool = True) -> Self:
        """Open an existing ledger; `verify` looks for damage first. A path stands for the file there."""
        return cls(_location(where).open(verify=verify), instance)

    @classmethod
    def empty(cls, instance: str) -> Self:
        """Return a ledger in memory that stands for one that does not exist yet; it is only read."""
        return cls(SqliteSession(Path(os.devnull), open_empty()), instance)

    @classmethod
    def create(cls, where: Location | Path, instance: str) -> Self:
        """Open a ledger, and create it if there is none."""
        location = _location(where)
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

    def begin_attempt(
        self, sink: str, settings: str, now: datetime, due_by: datetime, *, only_to: str = ""
    ) -> Attempt | None:
        """Begin an attempt at the next message of a sink that was due at `due_by`; None when there is none.

        With `only_to`, the sink leads to the recipient with this key alone.
        """
        with self._session.writing() as connection:
            return attempts.begin_attempt(connection, self.instance, sink, settings, only_to, now, due_by)

    def record(self, attempt: Attempt, settlement: Settlement, now: datetime) -> None:
        """Record the outcome of an attempt; an acceptance also when another process owns the ledger by now."""
        is_accepted = settlement.outcome is Outcome.SENT
        with self._session.recording() if is_accepted else self._session.writing() as connection:
            results.record_attempt(connection, attempt, settlement, now)

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
        with self._session.writing() as connection:
            results.record_attempt(connection, attempt, settlement, ended_at)
            sink = attempt.recipient.sink
            return attempts.begin_attempt(connection, self.instance, sink, attempt.settings, only_to, now, due_by)

    def close_open_attempts(self, now: datetime, *, has_crashed: bool = False) -> int:
        """Mark the attempts that a dead process has left open as `unknown`; return their number."""
        with self._session.writing() as connection:
            return attempts.close_open_attempts(connection, self.instance, now, has_crashed=has_crashed)

    def state(self) -> ServerState:
        """Return the state of the server."""
        with self.reading() as view:
            return view.state()

    def summary(self, now: datetime, sinks: Collection[str] | None = None) -> OutboxSummary:
        """Count undelivered messages, only those of `sinks` if given."""
        with self.reading() as view:
            return view.summary(now, sinks)

    def next_due_at(self, sink: str, now: datetime, *, only_to: str = "") -> datetime | None:
        """Return the next due time of a sink; `only_to` as for `begin_attempt`."""
        with self.reading() as view:
            return view.next_due_at(sink, now, only_to=only_to)

    def history(
        self, *, subject: str = "", recipient_key: str = "", is_undelivered: bool = False
    ) -> tuple[HistoryEntry, ...]:
        """Return rows with their attempts, oldest first."""
        with self.reading() as view:
            return view.history(subject=subject, recipient_key=recipient_key, is_undelivered=is_undelivered)

    def known_recipients(self) -> tuple[KnownRecipient, ...]:
        """Return every recipient that the ledger has rows for."""
        with self.reading() as view:
            return view.known_recipients()

    def instances(self) -> tuple[str, ...]:
        """Return the names of all instances that the ledger knows."""
        with self._session.reading() as connection:
            found = connection.execute("SELECT name FROM instance ORDER BY name").fetchall()
        return tuple(row["name"] for row in found)

    def fingerprint(self, text: str) -> str:
        """Return a hash that distinguishes two settings without revealing them: salted for this ledger alone."""
        with self._session.reading() as connection, reading("the salt"):
            salt = connection.execute("SELECT value FROM meta WHERE key = 'salt'").fetchone()["value"]
        return hashlib.sha256(f"{salt}\n{text}".encode()).hexdigest()[:16]

    def beat(self, now: datetime, host: str) -> None:
        """Record the heartbeat of the daemon on a host; any node may."""
        with self._session.recording() as connection:
            nodes.beat(connection, self.instance, host, now)

    def leave(self, host: str) -> None:
        """Remove the daemon on a host, which is being stopped; any node may."""
        with self._session.recording() as connection:
            nodes.leave(connection, self.instance, host)

    def nodes(self, now: datetime) -> tuple[Node, ...]:
        """Return the daemons that were not stopped, whether they still run or not."""
        with self._session.reading() as connection:
            return nodes.read_nodes(connection, self.instance, now)

    def ask_owner(self, kind: str, arguments: Mapping[str, object], now: datetime) -> str:
        """Write down a request to the owner; return its id. Any process may."""
        with self._session.recording() as connection:
            return requests.add_request(connection, self.instance, kind, arguments, now)

    def answer(self, id_: str) -> Mapping[str, Any] | None:
        """Return the owner's answer to a request; None until there is one."""
        with self._session.reading() as connection:
            return requests.read_answer(connection, id_)

    def withdraw(self, id_: str) -> None:
        """Delete a request. Any process may."""
        with self._session.recording() as connection:
            requests.withdraw_request(connection, id_)


def _location(where: Location | Path) -> Location:
    return SqliteLocation(where) if isinstance(where, Path) else where
