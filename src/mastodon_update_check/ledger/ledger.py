"""The ledger: what has been decided, what has been told, what is waiting. Durable before anything is sent."""

import hashlib
import json
import sqlite3
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Self

from mastodon_update_check.core.knowledge import Knowledge
from mastodon_update_check.core.outbox import Delivery, Settlement
from mastodon_update_check.errors import LedgerError
from mastodon_update_check.ledger import claims, results, rows, summary
from mastodon_update_check.ledger.claims import Claim
from mastodon_update_check.ledger.failures import reading, translated
from mastodon_update_check.ledger.file import BUSY_SECONDS, create_file, open_file
from mastodon_update_check.ledger.instants import read_stamp, stamp
from mastodon_update_check.ledger.summary import OutboxSummary

if TYPE_CHECKING:
    from mastodon_update_check.core.planning import Plan

ATTEMPTS_KEPT = timedelta(days=90)
"""How long settled attempts are kept for `explain`; what was told is kept for good."""


class Ledger:
    """One connection to the ledger, used by one thread.

    Every method raises `LedgerError` when the ledger cannot be used; whatever it was about to change is then as it
    was before.
    """

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self._path = path
        self._connection = connection
        self._file = _identify(path)

    @classmethod
    def open(cls, path: Path, *, verify: bool = True, busy_seconds: float = BUSY_SECONDS) -> Self:
        """Open an existing ledger; `verify` reads it through for damage."""
        return cls(path, open_file(path, verify=verify, busy_seconds=busy_seconds))

    @classmethod
    def create(cls, path: Path) -> Self:
        """Open a ledger, and create it if there is none."""
        with translated(path):
            is_missing = not path.exists()
        if is_missing:
            create_file(path)
        return cls.open(path)

    def close(self) -> None:
        """Close the connection."""
        with translated(self._path):
            self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def writing(self) -> Iterator["Book"]:
        """Hold the one write transaction, durably committed at the end, or rolled back by any exception."""
        with translated(self._path):
            if _identify(self._path) != self._file:
                raise LedgerError(f"the ledger {self._path} was replaced while it was in use: it is opened anew")
            self._connection.execute("BEGIN IMMEDIATE")
            with self._connection:
                yield Book(self._connection)

    def claim(self, instance: str, sink: str, settings: str, now: datetime, due_by: datetime) -> Claim | None:
        """Claim the next message of a sink that was due at `due_by`; None when there is none."""
        with self.writing():
            return claims.claim_next(self._connection, instance, sink, settings, now, due_by)

    def renew(self, claim: Claim, now: datetime) -> bool:
        """Extend a claim's lease; False when the claim is lost."""
        with self.writing():
            return claims.renew_claim(self._connection, claim, now)

    def release(self, claim: Claim, now: datetime) -> None:
        """Give a message back whose attempt was cut short."""
        with self.writing():
            claims.release_claim(self._connection, claim, now)

    def record(self, claim: Claim, settlement: Settlement, now: datetime) -> None:
        """Write down what came of an attempt."""
        with self.writing():
            results.record_attempt(self._connection, claim, settlement, now)

    def knowledge(self, instance: str) -> Knowledge:
        """Return what is known about the instance."""
        with translated(self._path):
            return _read_knowledge(self._connection, instance)

    def deliveries(self, instance: str, subjects: Iterable[str], now: datetime) -> tuple[Delivery, ...]:
        """Return the instance's open rows, and all rows of the given subjects."""
        with translated(self._path):
            return rows.read_deliveries(self._connection, instance, subjects, now)

    def summary(self, instance: str, now: datetime, sinks: Collection[str] | None = None) -> OutboxSummary:
        """Count what is not delivered yet, by the sinks that are configured if they are given."""
        with translated(self._path):
            return summary.summarise(self._connection, instance, now, sinks)

    def next_due_at(self, instance: str, sink: str, now: datetime) -> datetime | None:
        """Return when a sink has something to do next."""
        with translated(self._path):
            return summary.next_due_at(self._connection, instance, sink, now)

    def instances(self) -> tuple[str, ...]:
        """Return the names of all instances that the ledger knows."""
        with translated(self._path):
            found = self._connection.execute("SELECT name FROM instance ORDER BY name").fetchall()
        return tuple(row["name"] for row in found)

    def fingerprint(self, text: str) -> str:
        """Return what tells two settings apart without saying what they are: salted for this ledger alone."""
        with translated(self._path), reading("the salt"):
            salt = self._connection.execute("SELECT value FROM meta WHERE key = 'salt'").fetchone()["value"]
        return hashlib.sha256(f"{salt}\n{text}".encode()).hexdigest()[:16]

    def beat(self, instance: str, now: datetime) -> None:
        """Leave the daemon's sign of life."""
        with self.writing():
            self._connection.execute(
                "INSERT INTO instance (name, knowledge, beat_at) VALUES (?, '{}', ?) "
                "ON CONFLICT (name) DO UPDATE SET beat_at = excluded.beat_at",
                (instance, stamp(now)),
            )

    def last_beat_at(self, instance: str) -> datetime | None:
        """Return when the daemon last gave a sign of life."""
        with translated(self._path):
            row = self._connection.execute("SELECT beat_at FROM instance WHERE name = ?", (instance,)).fetchone()
        return None if row is None else read_stamp(row["beat_at"])


class Book:
    """The ledger inside its write transaction: what is read here cannot move before it is written."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def knowledge(self, instance: str) -> Knowledge:
        """Return what is known about the instance."""
        return _read_knowledge(self._connection, instance)

    def deliveries(self, instance: str, subjects: Iterable[str], now: datetime) -> tuple[Delivery, ...]:
        """Return the instance's open rows, and all rows of the given subjects."""
        return rows.read_deliveries(self._connection, instance, subjects, now)

    def summary(self, instance: str, now: datetime, sinks: Collection[str] | None = None) -> OutboxSummary:
        """Count what is not delivered yet, by the sinks that are configured if they are given."""
        return summary.summarise(self._connection, instance, now, sinks)

    def apply(self, instance: str, plan: "Plan") -> None:
        """Store a plan."""
        rows.apply_plan(self._connection, instance, plan)

    def keep_knowledge(self, instance: str, knowledge: Knowledge, now: datetime) -> None:
        """Store what is known about the instance, and drop attempts that are long over."""
        self._connection.execute(
            "INSERT INTO instance (name, knowledge) VALUES (?, ?) "
            "ON CONFLICT (name) DO UPDATE SET knowledge = excluded.knowledge",
            (instance, json.dumps(knowledge.to_json())),
        )
        self._connection.execute("DELETE FROM attempt WHERE ended_at < ?", (stamp(now - ATTEMPTS_KEPT),))


def _read_knowledge(connection: sqlite3.Connection, instance: str) -> Knowledge:
    row = connection.execute("SELECT knowledge FROM instance WHERE name = ?", (instance,)).fetchone()
    with reading("what is known of an instance"):
        return Knowledge() if row is None else Knowledge.from_json(json.loads(row["knowledge"]))


def _identify(path: Path) -> tuple[int, int]:
    """Tell a file from another one that has taken its place."""
    with translated(path):
        status = path.stat()
    return status.st_dev, status.st_ino
