"""Rows of one release, of one recipient, or all undelivered ones, with their attempts: for `explain` and `retry`."""

import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from mastodon_update_check.domain.notices import Notice
from mastodon_update_check.domain.outbox import DeliveryState, Outcome
from mastodon_update_check.domain.recipients import Recipient
from mastodon_update_check.domain.stored_json import from_json
from mastodon_update_check.ledger.attempts import IS_BEING_SENT
from mastodon_update_check.ledger.engine import Transaction, read_row, reading


@dataclass(frozen=True, slots=True, kw_only=True)
class PastAttempt:
    """One attempt at a message."""

    number: int
    started_at: datetime
    ended_at: datetime | None
    outcome: Outcome | None
    """None: it is in progress, or its process has died."""
    reply: str
    identities: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryEntry:
    """One notice for one recipient, with every attempt that carried it."""

    identity: str
    notice: Notice
    recipient: Recipient
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
    is_stopped: bool
    """Whether the receiver asked never to be tried again (HTTP 410)."""
    attempts: tuple[PastAttempt, ...]

    @property
    def is_undelivered(self) -> bool:
        """Return whether it is still to be delivered."""
        return self.state in {DeliveryState.PENDING, DeliveryState.FAILED}


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownRecipient:
    """A recipient in the ledger."""

    recipient: Recipient
    """As last planned, with the key of the rows."""
    addresses: frozenset[str]


def read_history(
    transaction: Transaction,
    *,
    subject: str = "",
    recipient_keys: Collection[str] | None = None,
    is_undelivered: bool = False,
) -> tuple[HistoryEntry, ...]:
    """Return the instance's rows, oldest first; only those of a subject, of recipients, or undelivered, if given."""
    conditions = ["delivery.instance = :instance"]
    if subject:
        conditions.append("delivery.subject = :subject")
    if recipient_keys is not None:
        conditions.append("delivery.recipient_key IN (SELECT value FROM json_each(:keys))")
    if is_undelivered:
        conditions.append("delivery.state IN ('pending', 'failed')")
    rows = transaction.execute(
        f"""
        SELECT delivery.*, message.recipient, message.due_at, {IS_BEING_SENT} AS is_being_sent,
               delivery.state IN ('pending', 'failed')
               AND (message.due_at IS NULL OR sink.stopped_key IS NOT NULL) AS is_stopped
        FROM delivery
        JOIN message ON message.id = delivery.message_id
        LEFT JOIN sink ON sink.instance = delivery.instance AND sink.name = delivery.sink
                      AND sink.stopped_key = delivery.recipient_key
        WHERE {" AND ".join(conditions)}
        ORDER BY delivery.planned_at, delivery.sink, delivery.recipient_key, delivery.identity
        """,  # noqa: S608 - only our own constants are put in
        subject=subject,
        keys=json.dumps([*(recipient_keys or ())]),
    ).fetchall()
    attempts = {key: _read_attempts(transaction, key) for key in {row["recipient_key"] for row in rows}}
    return tuple(
        read_row(
            HistoryEntry,
            row,
            attempts=tuple(one for one in attempts[row["recipient_key"]] if row["identity"] in one.identities),
        )
        for row in rows
    )


def read_known_recipients(transaction: Transaction) -> tuple[KnownRecipient, ...]:
    """Return every recipient in the ledger."""
    rows = transaction.execute(
        """
        SELECT message.sink, message.recipient_key, message.recipient, delivery.address
        FROM message LEFT JOIN delivery ON delivery.message_id = message.id
        WHERE message.instance = :instance
        GROUP BY message.sink, message.recipient_key, message.recipient, delivery.address
        ORDER BY max(message.created_at), max(message.id)
        """
    ).fetchall()
    found: dict[tuple[str, str], KnownRecipient] = {}
    with reading():
        for row in rows:
            recipient = from_json(Recipient, json.loads(row["recipient"]))
            place = row["sink"], row["recipient_key"]
            former = found[place].addresses if place in found else ()
            addresses = frozenset(filter(None, (recipient.address, row["address"], *former)))
            found[place] = KnownRecipient(recipient=recipient, addresses=addresses)
    return tuple(found.values())


def _read_attempts(transaction: Transaction, recipient_key: str) -> tuple[PastAttempt, ...]:
    """Return the attempts to reach a recipient: of all messages, since a reopened row may have moved to another one."""
    rows = transaction.execute(
        """
        SELECT attempt.* FROM attempt JOIN message ON message.id = attempt.message_id
        WHERE message.instance = :instance AND message.recipient_key = :recipient_key
        ORDER BY attempt.started_at, attempt.number
        """,
        recipient_key=recipient_key,
    ).fetchall()
    return tuple(read_row(PastAttempt, row) for row in rows)
