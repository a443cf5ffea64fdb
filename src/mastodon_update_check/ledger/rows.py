"""Storing plans: the statements on `delivery` and `message` that planning needs."""

import json
from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING

from mastodon_update_check.core.notices import from_json, identity, subject, to_json
from mastodon_update_check.core.outbox import LEASE, Delivery, DeliveryState
from mastodon_update_check.core.recipients import Recipient
from mastodon_update_check.ledger.engine import Connection, Row
from mastodon_update_check.ledger.failures import reading
from mastodon_update_check.ledger.instants import stamp

if TYPE_CHECKING:
    from mastodon_update_check.core.changes import Change
    from mastodon_update_check.core.planning import Plan, PlannedMessage, Redirection

IS_CLAIMED = "(message.claim IS NOT NULL AND message.lease_until > :now AND message.lease_until <= :lease_end)"
"""Whether somebody holds the message; a lease further ahead than one can be was written by a wrong clock."""


def moment(now: datetime) -> dict[str, str]:
    """Return the parameters that `IS_CLAIMED` takes.

    Whoever waits for the ledger asks with a `now` from before its wait; others may have renewed theirs meanwhile.
    """
    return {"now": stamp(now), "lease_end": stamp(now + 2 * LEASE)}


def read_deliveries(
    connection: Connection, instance: str, subjects: Iterable[str], now: datetime
) -> tuple[Delivery, ...]:
    """Return the instance's open rows, and all rows of the given subjects."""
    query = f"""
        SELECT delivery.*, message.tried_address, message.tried_settings, message.due_at, {IS_CLAIMED} AS is_claimed,
               message.state <> 'sent' AND EXISTS (
                   SELECT 1 FROM attempt, json_each(attempt.identities) AS carried
                   WHERE attempt.message_id = message.id AND carried.value = delivery.identity
                     AND (attempt.outcome IS NULL OR attempt.outcome <> 'failed')) AS may_have_arrived
        FROM delivery JOIN message ON message.id = delivery.message_id
        WHERE delivery.instance = :instance
          AND (delivery.state IN ('pending', 'failed')
               OR delivery.subject IN (SELECT value FROM json_each(:subjects)))
    """  # noqa: S608 - only our own constant is put in
    parameters = {"instance": instance, "subjects": json.dumps(sorted(subjects)), **moment(now)}
    with reading("a row"):
        return tuple(_read_delivery(row) for row in connection.execute(query, parameters))


def _read_delivery(row: Row) -> Delivery:
    return Delivery(
        identity=row["identity"],
        notice=from_json(json.loads(row["notice"])),
        recipient_key=row["recipient_key"],
        address=row["address"],
        sink=row["sink"],
        state=DeliveryState(row["state"]),
        message_id=row["message_id"],
        is_claimed=bool(row["is_claimed"]),
        may_have_arrived=bool(row["may_have_arrived"]),
        tried_settings=row["tried_settings"],
        tried_address=row["tried_address"],
        is_stopped=row["due_at"] is None,
    )


def write_recipient(recipient: Recipient) -> str:
    """Return a recipient as JSON."""
    return json.dumps(asdict(recipient), ensure_ascii=False, sort_keys=True)


def apply_plan(connection: Connection, instance: str, plan: "Plan") -> None:
    """Store a plan; the caller holds the write transaction in which the plan's rows were read."""
    now = stamp(plan.made_at)
    _apply_changes(connection, instance, plan.changes, plan.made_at)
    # Before the new messages, which may be the same ones taken up again; and after them, lest one be empty.
    cancel_empty_messages(connection, instance, plan.made_at)
    _redirect(connection, plan.redirections, now)
    for message in plan.messages:
        _write_message(connection, instance, message, now)
    connection.executemany(
        """
        INSERT INTO delivery (instance, identity, recipient_key, subject, sink, address, notice, state, reason,
                              message_id, planned_at)
        VALUES (?, ?, ?, ?, ?, ?, ?, 'pending', ?, ?, ?)
        ON CONFLICT (instance, identity, recipient_key) DO UPDATE
        SET sink = excluded.sink, address = excluded.address, notice = excluded.notice, state = 'pending',
            reason = excluded.reason, message_id = excluded.message_id, planned_at = excluded.planned_at,
            settled_at = NULL
        WHERE delivery.state IN ('cancelled', 'superseded')
        """,
        (
            (
                instance,
                identity(one.notice),
                message.recipient.key,
                subject(one.notice),
                message.recipient.sink,
                message.recipient.address,
                json.dumps(to_json(one.notice)),
                one.reason,
                message.id,
                now,
            )
            for message in plan.messages
            for one in message.decisions
        ),
    )
    cancel_empty_messages(connection, instance, plan.made_at)


def _apply_changes(connection: Connection, instance: str, changes: Iterable["Change"], now: datetime) -> None:
    rows = [
        (
            DeliveryState.SUPERSEDED if change.reason.supersedes else DeliveryState.CANCELLED,
            change.reason,
            stamp(now),
            instance,
            change.identity,
            change.recipient_key,
        )
        for change in changes
    ]
    connection.executemany(
        """
        UPDATE delivery SET state = ?, reason = ?, settled_at = ?
        WHERE instance = ? AND identity = ? AND recipient_key = ? AND state IN ('pending', 'failed')
        """,
        rows,
    )


def cancel_empty_messages(connection: Connection, instance: str, now: datetime) -> None:
    """Give up messages that carry nothing any more."""
    connection.execute(
        """
        UPDATE message SET state = 'cancelled', settled_at = :now, claim = NULL, lease_until = NULL
        WHERE instance = :instance AND state IN ('pending', 'failed') AND NOT EXISTS (
            SELECT 1 FROM delivery WHERE message_id = message.id AND state IN ('pending', 'failed'))
        """,
        {"instance": instance, "now": stamp(now)},
    )


def _redirect(connection: Connection, redirections: Iterable["Redirection"], now: str) -> None:
    for one in redirections:
        recipient = write_recipient(one.recipient)
        changed = connection.execute(
            "UPDATE message SET recipient = ? WHERE id = ? AND recipient <> ?", (recipient, one.message_id, recipient)
        ).rowcount
        if changed:
            connection.execute(
                "UPDATE delivery SET address = ? WHERE message_id = ? AND state IN ('pending', 'failed')",
                (one.recipient.address, one.message_id),
            )
        if one.is_hurried:
            # What was tried is forgotten with it, so that one change hurries it once.
            connection.execute(
                """
                UPDATE message SET due_at = ?, failures = 0, tried_address = '', tried_settings = '' WHERE id = ?
                """,
                (now, one.message_id),
            )


def _write_message(connection: Connection, instance: str, message: "PlannedMessage", now: str) -> None:
    """Insert a message, or take a cancelled one up again that held the same rows: it keeps its id and its date.

    One that was accepted stays so, whatever is planned.
    """
    connection.execute(
        """
        INSERT INTO message (id, instance, sink, recipient_key, recipient, is_urgent, created_at, state, due_at)
        VALUES (:id, :instance, :sink, :key, :recipient, :urgent, :now, 'pending', :now)
        ON CONFLICT (id) DO UPDATE
        SET sink = excluded.sink, recipient = excluded.recipient, state = 'pending', due_at = excluded.due_at,
            failures = 0, claim = NULL, lease_until = NULL, settled_at = NULL
        WHERE message.state = 'cancelled'
        """,
        {
            "id": message.id,
            "instance": instance,
            "sink": message.recipient.sink,
            "key": message.recipient.key,
            "recipient": write_recipient(message.recipient),
            "urgent": int(message.is_urgent),
            "now": now,
        },
    )
