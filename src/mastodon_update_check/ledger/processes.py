"""The processes that use a ledger: its owner, the daemons that share it, and commands with a request to the owner.

A request is a row here and a signal to the owner, which writes its answer into the same row.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

from mastodon_update_check.ledger.engine import Transaction, read_row, reading, stamp

_WAITING = """
    SELECT id, kind, arguments FROM request WHERE instance = :instance AND result IS NULL ORDER BY asked_at, id
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """The process that plans and delivers for a ledger: exactly one at a time, by a `FileLock` or a `Lease`."""

    host: str
    pid: int
    """0 where it is not known: on another machine, or while only a child process holds the lock."""
    is_daemon: bool
    alive_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One daemon of an instance."""

    host: str
    alive_at: datetime
    is_owner: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnerRequest:
    """One request that has not been answered."""

    id: str
    kind: str
    arguments: Mapping[str, Any]


def record_heartbeat(transaction: Transaction, host: str, now: datetime) -> None:
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
    )
    return tuple(read_row(Node, row) for row in rows.fetchall())


def add_request(transaction: Transaction, kind: str, arguments: Mapping[str, object], now: datetime) -> str:
    """Write a request down; return its id."""
    id_ = uuid4().hex
    transaction.execute(
        "INSERT INTO request (id, instance, kind, arguments, asked_at) "
        "VALUES (:id, :instance, :kind, :arguments, :now)",
        id=id_,
        kind=kind,
        arguments=json.dumps(arguments),
        now=stamp(now),
    )
    return id_


def read_requests(transaction: Transaction) -> tuple[OwnerRequest, ...]:
    """Return the requests that wait for an answer, oldest first."""
    return tuple(read_row(OwnerRequest, row) for row in transaction.execute(_WAITING).fetchall())


def has_requests(transaction: Transaction) -> bool:
    """Return whether a request waits for an answer; for the resident process, which reads none."""
    return transaction.execute(_WAITING).fetchone() is not None


def answer_request(transaction: Transaction, id_: str, result: Mapping[str, object]) -> None:
    """Answer a request."""
    transaction.execute("UPDATE request SET result = :result WHERE id = :id", result=json.dumps(result), id=id_)


def read_answer(transaction: Transaction, id_: str) -> Mapping[str, Any] | None:
    """Return the answer to a request; None until there is one."""
    row = transaction.execute("SELECT result FROM request WHERE id = :id", id=id_).fetchone()
    with reading():
        answer: Mapping[str, Any] | None = json.loads(row["result"]) if row and row["result"] else None
    return answer


def withdraw_request(transaction: Transaction, id_: str) -> None:
    """Delete a request that the owner has answered, or that the command waits for no longer."""
    transaction.execute("DELETE FROM request WHERE id = :id", id=id_)
