"""What commands ask of the owner: a row here, a signal to the owner, and its answer in the same row."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

from mastodon_update_check.ledger.engine import Transaction
from mastodon_update_check.ledger.stored import read_row, reading, stamp

_WAITING = """
    SELECT id, kind, arguments FROM request WHERE instance = :instance AND result IS NULL ORDER BY asked_at, id
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnerRequest:
    """One request that has not been answered."""

    id: str
    kind: str
    arguments: Mapping[str, Any]


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
