"""Rows of one release, of one recipient, or all undelivered ones, with their attempts: for `explain` and `retry`."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from mastodon_update_check.domain.notices import Notice
from mastodon_update_check.domain.outbox import DeliveryState, Outcome
from mastodon_update_check.domain.recipients import Recipient
from mastodon_update_check.domain.stored_json import from_json
from mastodon_update_check.ledger.attempts import IS_BEING_SENT
from mastodon_update_check.ledger.engine import Row, Transaction
from mastodon_update_check.ledger.instants import read_stamp
from mastodon_update_check.ledger.problems import reading


@dataclass(frozen=True, slots=True, kw_only=True)
class PastAttempt:
    """One attempt at a message."""

    number: int
    started_at: datetime
    ended_at: datetime | None
    outcome: Outcome | None
    """None: it is in progress, or its process has died."""
    reply: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryEntry:
    """One notice for one recipient, with every attempt that carried it."""

    identity: str
    notice: Notice
    recipient: Recipient
    """As it was last planned."""
    recipient_key: str
    address: str
    """The address it was or is to be sent to; empty for sinks without addresses."""
    sink: str
    state: DeliveryState
    reason: str
    """Of the last decision. A later version of this program may have reasons that this one does not know."""
    planned_at: datetime
    settled_at: datetime | None
    message_id: str
    due_at: datetime | None
    is_being_sent: bool
    """Whether it is being sent at this moment."""
    is_stopped: bool
    """Whether the receiver asked never to be tried again (HTTP 410)."""
    attempts: tuple[PastAttempt, ...]

    @property
    def is_undelivered(self) -> bool:
        """Whether it is still to be delivered."""
        return self.state in {DeliveryState.PENDING, DeliveryState.FAILED}


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownRecipient:
    """A recipient in the ledger."""

    recipient: Recipient
    """As last planned, with the key of the rows."""
    addresses: frozenset[str]
    """Every address that a message was or is to be sent to."""


def read_history(
    transaction: Transaction,
    *,
    subject: str = "",
    recipient_key: str = "",
    is_undelivered: bool = False,
) -> tuple[HistoryEntry, ...]:
    """Return the instance's rows, oldest first; only those of a subject, of a recipient, or undelivered, if given."""
    conditions = ["delivery.instance = :instance"]
    if subject:
        conditions.append("delivery.subject = :subject")
    if recipient_key:
        conditions.append("delivery.recipient_key = :recipient_key")
    if is_undelivered:
        conditions.append("delivery.state IN ('pending', 'failed')")
    rows = transaction.execute(
        f"""
        SELECT delivery.*, message.recipient, message.due_at,
               CASE WHEN {IS_BEING_SENT} THEN 1 ELSE 0 END AS is_being_sent,
               CASE WHEN message.due_at IS NULL OR sink.stopped_key IS NOT NULL THEN 1 ELSE 0 END AS is_stopped
        FROM delivery
        JOIN message ON message.id = delivery.message_id
        LEFT JOIN sink ON sink.instance = delivery.instance AND sink.name = delivery.sink
                      AND sink.stopped_key = delivery.recipient_key
        WHERE {" AND ".join(conditions)}
        ORDER BY delivery.planned_at, delivery.sink, delivery.recipient_key, delivery.identity
        """,  # noqa: S608 - only our own constants are put in
        subject=subject,
        recipient_key=recipient_key,
    ).fetchall()
    keys = {row["recipient_key"] for row in rows}
    attempts = {key: _read_attempts(transaction, key) for key in keys}
    with reading("a row"):
        return tuple(_read_entry(row, attempts[row["recipient_key"]]) for row in rows)


def read_known_recipients(transaction: Transaction) -> tuple[KnownRecipient, ...]:
    """Return every recipient in the ledger."""
    recipients: dict[tuple[str, str], Recipient] = {}
    addresses: dict[tuple[str, str], set[str]] = {}
    messages = transaction.execute(
        "SELECT sink, recipient_key, recipient FROM message WHERE instance = :instance ORDER BY created_at, id",
    )
    with reading("a recipient"):
        for row in messages.fetchall():
            recipients[row["sink"], row["recipient_key"]] = from_json(Recipient, json.loads(row["recipient"]))
    places = transaction.execute(
        "SELECT DISTINCT sink, recipient_key, address FROM delivery WHERE instance = :instance",
    )
    for row in places.fetchall():
        addresses.setdefault((row["sink"], row["recipient_key"]), set()).add(row["address"])
    return tuple(
        KnownRecipient(recipient=recipient, addresses=frozenset({*addresses.get(place, ()), recipient.address} - {""}))
        for place, recipient in recipients.items()
    )


def _read_attempts(transaction: Transaction, recipient_key: str) -> tuple[tuple[PastAttempt, frozenset[str]], ...]:
    """Return the attempts to reach a recipient, each with the identities that it carried.

    A reopened row may have moved to another message, so the attempts of all messages count.
    """
    rows = transaction.execute(
        """
        SELECT attempt.* FROM attempt JOIN message ON message.id = attempt.message_id
        WHERE message.instance = :instance AND message.recipient_key = :recipient_key
        ORDER BY attempt.started_at, attempt.number
        """,
        recipient_key=recipient_key,
    ).fetchall()
    with reading("an attempt"):
        return tuple((_read_attempt(row), frozenset(json.loads(row["identities"]))) for row in rows)


def _read_attempt(row: Row) -> PastAttempt:
    return PastAttempt(
        number=row["number"],
        started_at=datetime.fromisoformat(row["started_at"]),
        ended_at=read_stamp(row["ended_at"]),
        outcome=Outcome(row["outcome"]) if row["outcome"] else None,
        reply=row["reply"],
    )


def _read_entry(row: Row, attempts: Iterable[tuple[PastAttempt, frozenset[str]]]) -> HistoryEntry:
    return HistoryEntry(
        identity=row["identity"],
        notice=from_json(Notice, json.loads(row["notice"])),
        recipient=from_json(Recipient, json.loads(row["recipient"])),
        recipient_key=row["recipient_key"],
        address=row["address"],
        sink=row["sink"],
        state=DeliveryState(row["state"]),
        reason=row["reason"],
        planned_at=datetime.fromisoformat(row["planned_at"]),
        settled_at=read_stamp(row["settled_at"]),
        message_id=row["message_id"],
        due_at=read_stamp(row["due_at"]),
        is_being_sent=bool(row["is_being_sent"]),
        is_stopped=bool(row["is_stopped"]) and row["state"] in {"pending", "failed"},
        attempts=tuple(attempt for attempt, carried in attempts if row["identity"] in carried),
    )
