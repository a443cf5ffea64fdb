"""The rows that planning reads and writes, with those for reminders and `is installed` notices, and their deletion."""

import json
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from mastodon_update_check.domain.identities import identity, subject
from mastodon_update_check.domain.outbox import Delivery, DeliveryState
from mastodon_update_check.domain.recipients import FollowUps, Reason, Recipient
from mastodon_update_check.domain.stored_json import to_json
from mastodon_update_check.ledger.attempts import IS_BEING_SENT
from mastodon_update_check.ledger.engine import Transaction, read_row, stamp

if TYPE_CHECKING:
    from mastodon_update_check.domain.planning.plan import Plan, PlannedMessage, Redirection

_NOTIFIED_AT = """
    CASE WHEN delivery.state <> 'sent' OR delivery.reason = :marked THEN NULL
         WHEN delivery.settled_at > delivery.planned_at THEN delivery.settled_at ELSE delivery.planned_at END
"""
"""When a row was accepted; an instant before the planning comes from a wrong clock."""
_URGENT = "notified.identity LIKE 'update/%/urgent'"
"""The condition of the index `delivery_urgent`, so that a check does not read every row."""
_PLAIN = "notified.identity LIKE 'update/%/plain' AND notified.address = ''"
_UNCLOSED = """
    SELECT DISTINCT notified.subject FROM delivery AS notified
    WHERE notified.instance = :instance AND notified.state = 'sent' AND {kind} AND notified.reason <> :marked
      AND NOT EXISTS (
        SELECT 1 FROM delivery AS closed
        WHERE closed.instance = notified.instance AND closed.identity = notified.subject || '/installed'
          AND closed.recipient_key = notified.recipient_key AND closed.state = 'sent')
"""
KEPT = timedelta(days=90)
"""How long settled attempts, and cancelled rows without attempts, are kept, for `explain`."""
_OBSOLETE = (
    # Of an open message the last attempt is kept, for `status`. Of one that was not accepted, each set of rows that may
    # have arrived is remembered by the latest attempt that carried it.
    """
    DELETE FROM attempt
    WHERE ended_at < :before
      AND NOT EXISTS (SELECT 1 FROM message WHERE id = attempt.message_id AND attempts = attempt.number
                      AND state IN ('pending', 'failed'))
      AND (outcome = 'failed'
           OR EXISTS (SELECT 1 FROM message WHERE id = attempt.message_id AND state = 'sent')
           OR EXISTS (SELECT 1 FROM attempt AS later
                      WHERE later.message_id = attempt.message_id AND later.number > attempt.number
                        AND later.identities = attempt.identities
                        AND (later.outcome IS NULL OR later.outcome <> 'failed')))
    """,
    # Cancelled, and without an attempt that may have arrived: it can be planned again as if for the first time.
    """
    DELETE FROM delivery
    WHERE state IN ('cancelled', 'superseded') AND settled_at < :before
      AND NOT EXISTS (SELECT 1 FROM attempt WHERE message_id = delivery.message_id)
    """,
    """
    DELETE FROM message
    WHERE state = 'cancelled' AND settled_at < :before
      AND NOT EXISTS (SELECT 1 FROM delivery WHERE message_id = message.id)
      AND NOT EXISTS (SELECT 1 FROM attempt WHERE message_id = message.id)
    """,
    # Hosts that are gone, such as containers, each of which has a name of its own.
    "DELETE FROM node WHERE beat_at < :before",
    "DELETE FROM request WHERE asked_at < :before",
)


def read_deliveries(transaction: Transaction, subjects: Iterable[str]) -> tuple[Delivery, ...]:
    """Return the instance's open rows, and all rows of the given subjects."""
    query = f"""
        SELECT delivery.*, message.tried_address, message.due_at IS NULL AS is_stopped,
               {IS_BEING_SENT} AS is_being_sent,
               {_NOTIFIED_AT} AS notified_at,
               message.state <> 'sent' AND EXISTS (
                   SELECT 1 FROM attempt, json_each(attempt.identities) AS carried
                   WHERE attempt.message_id = message.id AND carried.value = delivery.identity
                     AND (attempt.outcome IS NULL OR attempt.outcome <> 'failed')) AS may_have_arrived
        FROM delivery JOIN message ON message.id = delivery.message_id
        WHERE delivery.instance = :instance
          AND (delivery.state IN ('pending', 'failed')
               OR delivery.subject IN (SELECT value FROM json_each(:subjects)))
    """  # noqa: S608 - only our own constants are put in
    rows = transaction.execute(query, subjects=json.dumps(sorted(subjects)), marked=Reason.MARKED_AT_SETUP)
    return tuple(read_row(Delivery, row) for row in rows)


def read_unclosed(transaction: Transaction, closure: FollowUps) -> frozenset[str]:
    """Return subjects of sent updates without an `installed` notice; with `all` also of plain ones not mailed."""
    if closure is FollowUps.NONE:
        return frozenset()
    parts = [_UNCLOSED.format(kind=_URGENT), *([_UNCLOSED.format(kind=_PLAIN)] if closure is FollowUps.ALL else [])]
    found = transaction.execute(" UNION ".join(parts), marked=Reason.MARKED_AT_SETUP)
    return frozenset(row["subject"] for row in found)


def write_recipient(recipient: Recipient) -> str:
    """Return a recipient as JSON."""
    return json.dumps(to_json(recipient), ensure_ascii=False, sort_keys=True)


def apply_plan(transaction: Transaction, plan: "Plan") -> None:
    """Store a plan; the caller holds the write transaction in which the plan's rows were read."""
    now = stamp(plan.made_at)
    transaction.connection.executemany(
        """
        UPDATE delivery SET state = ?, reason = ?, settled_at = ?
        WHERE instance = ? AND identity = ? AND recipient_key = ? AND state IN ('pending', 'failed')
        """,
        [
            (
                DeliveryState.SUPERSEDED if change.reason.supersedes else DeliveryState.CANCELLED,
                change.reason,
                now,
                transaction.instance,
                change.identity,
                change.recipient_key,
            )
            for change in plan.changes
        ],
    )
    # Both before the new messages, which may reuse cancelled ones, and after them, in case one is empty.
    cancel_empty_messages(transaction, plan.made_at)
    _redirect(transaction, plan.redirections, now)
    _write_messages(transaction, plan.messages, now)
    _write_deliveries(transaction, plan.messages, now)
    cancel_empty_messages(transaction, plan.made_at)


def cancel_empty_messages(transaction: Transaction, now: datetime) -> int:
    """Cancel messages without open rows; return their number."""
    cancelled = transaction.execute(
        """
        UPDATE message SET state = 'cancelled', settled_at = :now
        WHERE instance = :instance AND state IN ('pending', 'failed') AND NOT EXISTS (
            SELECT 1 FROM delivery WHERE message_id = message.id AND state IN ('pending', 'failed'))
        """,
        now=stamp(now),
    )
    return int(cancelled.rowcount)


def _redirect(transaction: Transaction, redirections: Iterable["Redirection"], now: str) -> None:
    for one in redirections:
        changed = transaction.execute(
            "UPDATE message SET recipient = :recipient WHERE id = :id AND recipient <> :recipient",
            recipient=write_recipient(one.recipient),
            id=one.message_id,
        ).rowcount
        if changed:
            transaction.execute(
                "UPDATE delivery SET address = :address WHERE message_id = :id AND state IN ('pending', 'failed')",
                address=one.recipient.address,
                id=one.message_id,
            )
        if one.is_hurried:
            # The tried address is cleared, so that one change makes it due once.
            transaction.execute(
                "UPDATE message SET due_at = :now, failures = 0, tried_address = '' WHERE id = :id",
                now=now,
                id=one.message_id,
            )


def _write_messages(transaction: Transaction, messages: Iterable["PlannedMessage"], now: str) -> None:
    """Insert messages, or reopen cancelled ones with the same rows, which keep id and date; sent ones stay sent."""
    transaction.connection.executemany(
        """
        INSERT INTO message (id, instance, sink, recipient_key, recipient, is_urgent, created_at, state, due_at)
        VALUES (:id, :instance, :sink, :key, :recipient, :urgent, :now, 'pending', :now)
        ON CONFLICT (id) DO UPDATE
        SET sink = excluded.sink, recipient = excluded.recipient, state = 'pending', due_at = excluded.due_at,
            failures = 0, settled_at = NULL
        WHERE message.state = 'cancelled'
        """,
        (
            {
                "id": message.id,
                "instance": transaction.instance,
                "sink": message.recipient.sink,
                "key": message.recipient.key,
                "recipient": write_recipient(message.recipient),
                "urgent": int(message.is_urgent),
                "now": now,
            }
            for message in messages
        ),
    )


def _write_deliveries(transaction: Transaction, messages: Iterable["PlannedMessage"], now: str) -> None:
    """Insert the rows of the messages, or reopen cancelled ones."""
    rows = (
        (
            transaction.instance,
            identity(one.notice),
            subject(one.notice),
            json.dumps(to_json(one.notice)),
            message.recipient.key,
            message.recipient.sink,
            message.recipient.address,
            one.reason,
            message.id,
            now,
        )
        for message in messages
        for one in message.decisions
    )
    transaction.connection.executemany(
        """
        INSERT INTO delivery (instance, identity, subject, notice, recipient_key, sink, address, reason, message_id,
                              planned_at, state)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'pending')
        ON CONFLICT (instance, identity, recipient_key) DO UPDATE
        SET sink = excluded.sink, address = excluded.address, notice = excluded.notice, state = 'pending',
            reason = excluded.reason, message_id = excluded.message_id, planned_at = excluded.planned_at,
            settled_at = NULL
        WHERE delivery.state IN ('cancelled', 'superseded')
        """,
        rows,
    )


def mark_notified(transaction: Transaction, now: datetime) -> int:
    """Mark every pending row as sent, except those in an attempt; return the number of messages that are now empty.

    These messages are cancelled, so they do not count towards a recipient's limit of mails for a day.
    """
    transaction.execute(
        f"""
        UPDATE delivery SET state = 'sent', reason = :reason, settled_at = :now
        WHERE instance = :instance AND state IN ('pending', 'failed')
          AND message_id NOT IN (SELECT id FROM message WHERE instance = :instance AND {IS_BEING_SENT})
        """,  # noqa: S608 - only our own constant is put in
        reason=Reason.MARKED_AT_SETUP,
        now=stamp(now),
    )
    return cancel_empty_messages(transaction, now)


def prune(transaction: Transaction, now: datetime) -> None:
    """Delete old rows, so that the ledger stays small; none of them can lead to a repeat or to another id.

    Sent notices are kept, and so is every attempt that may have arrived, because a repeat must have the same id.
    """
    for step in _OBSOLETE:
        transaction.execute(step, before=stamp(now - KEPT))
