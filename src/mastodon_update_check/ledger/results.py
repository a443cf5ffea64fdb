"""Record the outcome of an attempt, inside a transaction of the caller.

An acceptance is recorded even if another process owns the ledger now, because it is a fact. A failure is recorded only
while the attempt is open.
"""

import json
from collections.abc import Sequence
from datetime import datetime

from mastodon_update_check.domain.identities import covered_identities
from mastodon_update_check.domain.outbox import Outcome, Settlement
from mastodon_update_check.domain.reasons import Reason
from mastodon_update_check.ledger.attempts import Attempt, end_attempt
from mastodon_update_check.ledger.engine import Connection
from mastodon_update_check.ledger.instants import stamp
from mastodon_update_check.ledger.rows import cancel_empty_messages


def record_attempt(connection: Connection, attempt: Attempt, settlement: Settlement, now: datetime) -> None:
    """Record the outcome of an attempt, and update its message and its sink."""
    outcome = settlement.outcome
    if not end_attempt(connection, attempt.message_id, attempt.number, outcome, settlement.reply, now):
        return
    if outcome is Outcome.SENT:
        _record_acceptance(connection, attempt, now)
    else:
        _record_failure(connection, attempt, settlement)
    _record_sink(connection, attempt, settlement, now)


def _record_failure(connection: Connection, attempt: Attempt, settlement: Settlement) -> None:
    state = "failed" if settlement.outcome is Outcome.FAILED else "pending"
    held = connection.execute(
        """
        UPDATE message SET state = ?, due_at = ?, failures = failures + 1, tried_address = ?, tried_settings = ?
        WHERE id = ? AND state IN ('pending', 'failed')
        """,
        (
            state,
            settlement.due_at and stamp(settlement.due_at),
            attempt.recipient.address,
            attempt.settings,
            attempt.message_id,
        ),
    ).rowcount
    if held:
        connection.execute(
            "UPDATE delivery SET state = ? WHERE message_id = ? AND state IN ('pending', 'failed')",
            (state, attempt.message_id),
        )


def _record_acceptance(connection: Connection, attempt: Attempt, now: datetime) -> None:
    """Mark the rows of this attempt as sent, also those that were cancelled or planned again during the attempt."""
    covered = [name for notice in attempt.notices for name in covered_identities(notice)]
    connection.execute(
        """
        UPDATE message SET state = 'sent', settled_at = ?, failures = 0, due_at = NULL
        WHERE id = ?
        """,
        (stamp(now), attempt.message_id),
    )
    moved = connection.execute(
        """
        UPDATE delivery SET state = 'sent', settled_at = ?, address = ?
        WHERE instance = ? AND recipient_key = ? AND identity IN (SELECT value FROM json_each(?))
        RETURNING message_id
        """,
        (
            stamp(now),
            attempt.recipient.address,
            attempt.instance,
            attempt.recipient_key,
            json.dumps(attempt.identities),
        ),
    ).fetchall()
    # A row that was reopened during this attempt, which did not carry it, is planned into a message of its own.
    connection.execute(
        """
        UPDATE delivery SET state = 'cancelled', reason = ?, settled_at = ?
        WHERE message_id = ? AND state IN ('pending', 'failed')
        """,
        (Reason.LEFT_BEHIND, stamp(now), attempt.message_id),
    )
    if _supersede(connection, attempt, covered, now) or any(row["message_id"] != attempt.message_id for row in moved):
        cancel_empty_messages(connection, attempt.instance, now)


def _supersede(connection: Connection, attempt: Attempt, covered: Sequence[str], now: datetime) -> bool:
    """Supersede rows that this message covers: the check could not, while a process that has died was sending them."""
    if not covered:
        return False
    superseded = connection.execute(
        """
        UPDATE delivery SET state = 'superseded', reason = ?, settled_at = ?
        WHERE instance = ? AND recipient_key = ? AND identity IN (SELECT value FROM json_each(?))
          AND state IN ('pending', 'failed')
        """,
        (Reason.COVERED, stamp(now), attempt.instance, attempt.recipient_key, json.dumps(covered)),
    )
    return bool(superseded.rowcount)


def _record_sink(connection: Connection, attempt: Attempt, settlement: Settlement, now: datetime) -> None:
    """Update the state of the sink: whether it backs off as a whole, and since when it has accepted nothing.

    A message that is refused while others are accepted is a problem of its recipient. If the sink has accepted nothing
    since the message was planned, the sink counts as failing: a mail server that refuses to relay refuses each
    recipient.
    """
    works = settlement.sink_retry_at is None and not settlement.stops_sink
    connection.execute(
        """
        INSERT INTO sink (instance, name, settings) VALUES (:instance, :name, :settings)
        ON CONFLICT (instance, name) DO NOTHING
        """,
        {"instance": attempt.instance, "name": attempt.recipient.sink, "settings": attempt.settings},
    )
    connection.execute(
        """
        UPDATE sink
        SET settings = :settings,
            failures = CASE WHEN :works THEN 0 ELSE :failures END,
            failing_since = CASE WHEN :sent OR (:works AND sent_at >= :planned AND sent_at <= :now) THEN NULL
                                 WHEN failing_since < :now THEN failing_since ELSE :now END,
            retry_at = :retry_at,
            stopped_key = CASE WHEN :stops THEN :key ELSE stopped_key END,
            reply = :reply,
            sent_at = CASE WHEN :sent THEN :now ELSE sent_at END
        WHERE instance = :instance AND name = :name
        """,
        {
            "settings": attempt.settings,
            "works": works,
            "failures": attempt.sink_failures + 1,  # attempts that fail together count as one failure
            "now": stamp(now),
            "planned": stamp(attempt.created_at),
            "retry_at": settlement.sink_retry_at and stamp(settlement.sink_retry_at),
            "stops": settlement.stops_sink,
            "key": attempt.recipient_key,
            "reply": settlement.reply,
            "sent": settlement.outcome is Outcome.SENT,
            "instance": attempt.instance,
            "name": attempt.recipient.sink,
        },
    )
