"""The processes that use a ledger: its owner, and the daemons that share it in PostgreSQL."""

from dataclasses import dataclass
from datetime import datetime

from mastodon_update_check.ledger.engine import Transaction
from mastodon_update_check.ledger.stored import read_row, stamp


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """The process that plans and delivers for a ledger: exactly one at a time, by a `FileLock` or a `Lease`."""

    host: str
    pid: int
    """0 where it is not known: on another machine, or while only a child process holds the lock."""
    is_daemon: bool
    alive_at: datetime
    """Last heartbeat, aware, UTC."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One daemon of an instance."""

    host: str
    alive_at: datetime
    is_owner: bool


def beat(transaction: Transaction, host: str, now: datetime) -> None:
    """Record a daemon's heartbeat."""
    transaction.execute(
        "INSERT INTO node (instance, host, beat_at) VALUES (:instance, :host, :now) "
        "ON CONFLICT (instance, host) DO UPDATE SET beat_at = excluded.beat_at",
        host=host,
        now=stamp(now),
    )


def leave(transaction: Transaction, host: str) -> None:
    """Remove a daemon that has been stopped."""
    transaction.execute("DELETE FROM node WHERE instance = :instance AND host = :host", host=host)


def read_nodes(transaction: Transaction, now: datetime) -> tuple[Node, ...]:
    """Return the daemons that were not stopped, whether they still run or not."""
    rows = transaction.execute(
        """
        SELECT host, beat_at AS alive_at,
               EXISTS (SELECT 1 FROM owner WHERE owner.host = node.host AND until_at > :now) AS is_owner
        FROM node WHERE instance = :instance ORDER BY host
        """,
        now=stamp(now),
    ).fetchall()
    return tuple(read_row(Node, row) for row in rows)
