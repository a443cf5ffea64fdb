"""Record the outcome of an attempt, inside a transaction of the caller.

An acceptance is recorded even if another process owns the ledger now, because it is a fact. A failure is recorded only
while the attempt is open.
"""

import json
from datetime import datetime

from mastodon_update_check.domain.identities import covered_identities
from mastodon_update_check.domain.outbox import Outcome, Settlement
from mastodon_update_check.domain.recipients import Reason
from mastodon_update_check.ledger.attempts import Attempt, end_attempt
from mastodon_update_check.ledger.engine import Transaction, stamp
from mastodon_update_check.ledger.rows import cancel_empty_messages


def record_attempt(transaction: Transaction, attempt: Attempt, settlement: Settlement, now: datetime) -> None:
    """Record the outcome of an attempt, and update its message and its sink."""
    outcome = settlement.outcome
    if not end_attempt(transaction, attempt.message_id, attempt.number, outcome, settlement.reply, now):
        return
    if outcome is Outcome.SENT:
        _record_acceptance(transaction, attempt, now)
    else:
        _record_failure(transaction, attempt, settlement)
    _record_sink(transaction, attempt, settlement, now)


def _record_failure(transaction: Transaction, attempt: Attempt, settlement: Settlement) -> None:
    state = "failed" if settlement.outcome is Outcome.FAILED else "pending"
    held = transaction.execute(
        """
        UPDATE message
        SET state = :state, due_at = :due_at, failures = failures + 1, tried_address = :address,
            tried_settings = :settings
        WHERE id = :id AND state IN ('pending', 'failed')
        """,
        state=state,
        due_at=settlement.due_at and stamp(settlement.due_at),
        address=attempt.recipient.address,
        settings=attempt.settings,
        id=attempt.message_id,
    ).rowcount
    if held:
        transaction.execute(
            "UPDATE delivery SET state = :state WHERE message_id = :id AND state IN ('pending', 'failed')",
            state=state,
            id=attempt.message_id,
        )


def _record_acceptance(transaction: Transaction, attempt: Attempt, now: datetime) -> None:
    """Mark the rows of this attempt as sent, also those that were cancelled or planned again during the attempt."""
    covered = [name for notice in attempt.notices for name in covered_identities(notice)]
    transaction.execute(
        "UPDATE message SET state = 'sent', settled_at = :now, failures = 0, due_at = NULL WHERE id = :id",
        now=stamp(now),
        id=attempt.message_id,
    )
    moved = transaction.execute(
        """
        UPDATE delivery SET state = 'sent', settled_at = :now, address = :address
        WHERE instance = :instance AND recipient_key = :key AND identity IN (SELECT value FROM json_each(:carried))
        RETURNING message_id
        """,
        now=stamp(now),
        address=attempt.recipient.address,
        key=attempt.recipient_key,
        carried=json.dumps(attempt.identities),
    ).fetchall()
    # A row that was reopened during this attempt, which did not carry it, is planned into a message of its own.
    transaction.execute(
        """
        UPDATE delivery SET state = 'cancelled', reason = :reason, settled_at = :now
        WHERE message_id = :id AND state IN ('pending', 'failed')
        """,
        reason=Reason.LEFT_BEHIND,
        now=stamp(now),
        id=attempt.message_id,
    )
    # The check could not supersede rows while a process that has died was sending them.
    superseded = (
        covered
        and transaction.execute(
            """
        UPDATE delivery SET state = 'superseded', reason = :reason, settled_at = :now
        WHERE instance = :instance AND recipient_key = :key AND identity IN (SELECT value FROM json_each(:covered))
          AND state IN ('pending', 'failed')
        """,
            reason=Reason.COVERED,
            now=stamp(now),
            key=attempt.recipient_key,
            covered=json.dumps(covered),
        ).rowcount
    )
    if superseded or any(row["message_id"] != attempt.message_id for row in moved):
        cancel_empty_messages(transaction, now)


def _record_sink(transaction: Transaction, attempt: Attempt, settlement: Settlement, now: datetime) -> None:
    """Update the state of the sink: whether it backs off as a whole, and since when it has accepted nothing.

    A message that is refused while others are accepted is a problem of its recipient. If the sink has accepted nothing
    since the message was planned, the sink counts as failing: a mail server that refuses to relay refuses each
    recipient.
    """
    works = settlement.sink_retry_at is None and not settlement.stops_sink
    transaction.execute(
        """
        INSERT INTO sink (instance, name, settings) VALUES (:instance, :name, :settings)
        ON CONFLICT (instance, name) DO NOTHING
        """,
        name=attempt.recipient.sink,
        settings=attempt.settings,
    )
    transaction.execute(
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
        settings=attempt.settings,
        works=works,
        failures=attempt.sink_failures + 1,  # attempts that fail together count as one failure
        now=stamp(now),
        planned=stamp(attempt.created_at),
        retry_at=settlement.sink_retry_at and stamp(settlement.sink_retry_at),
        stops=settlement.stops_sink,
        key=attempt.recipient_key,
        reply=settlement.reply,
        sent=settlement.outcome is Outcome.SENT,
        name=attempt.recipient.sink,
    )
