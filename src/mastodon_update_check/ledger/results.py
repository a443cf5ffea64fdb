"""Recording what came of an attempt, inside a write transaction of the caller.

An acceptance is recorded even if the claim was lost meanwhile: it is the truth.

Several may record at once. Rows are locked in one order, lest two wait for each other: messages by their ids, what
hangs on them, the sink's account; whoever claims the next message passes over what is locked.
"""

import json
from collections.abc import Sequence
from datetime import datetime

from mastodon_update_check.domain.changes import covered_identities
from mastodon_update_check.domain.outbox import Outcome, Settlement
from mastodon_update_check.domain.reasons import Reason
from mastodon_update_check.ledger.claims import Claim, end_attempt
from mastodon_update_check.ledger.engine import Connection
from mastodon_update_check.ledger.instants import stamp
from mastodon_update_check.ledger.rows import cancel_empty_messages


def record_attempt(connection: Connection, claim: Claim, settlement: Settlement, now: datetime) -> None:
    """Write down what came of an attempt; a failure counts only while the claim stands."""
    is_accepted = settlement.outcome is Outcome.SENT
    if is_accepted:
        _record_acceptance(connection, claim, now)
    counts = is_accepted or _record_failure(connection, claim, settlement)
    end_attempt(connection, claim, settlement.outcome, settlement.reply, now)
    if counts:
        _record_sink(connection, claim, settlement, now)


def _record_failure(connection: Connection, claim: Claim, settlement: Settlement) -> bool:
    """Put the message off; say whether it was still ours to put off."""
    state = "failed" if settlement.outcome is Outcome.FAILED else "pending"
    held = connection.execute(
        """
        UPDATE message SET state = ?, due_at = ?, failures = failures + 1, tried_address = ?, tried_settings = ?,
                           claim = NULL, lease_until = NULL
        WHERE id = ? AND claim = ?
        """,
        (
            state,
            settlement.due_at and stamp(settlement.due_at),
            claim.recipient.address,
            claim.settings,
            claim.message_id,
            claim.token,
        ),
    ).rowcount
    if held:
        connection.execute(
            "UPDATE delivery SET state = ? WHERE message_id = ? AND state IN ('pending', 'failed')",
            (state, claim.message_id),
        )
    return bool(held)


def _record_acceptance(connection: Connection, claim: Claim, now: datetime) -> None:
    """Mark what this attempt carried as told, also what was cancelled, or planned anew, while it was under way."""
    covered = [name for notice in claim.notices for name in covered_identities(notice)]
    _lock_messages(connection, claim, (*claim.identities, *covered))
    connection.execute(
        """
        UPDATE message SET state = 'sent', settled_at = ?, failures = 0, due_at = NULL, claim = NULL,
                           lease_until = NULL
        WHERE id = ?
        """,
        (stamp(now), claim.message_id),
    )
    moved = connection.execute(
        """
        UPDATE delivery SET state = 'sent', settled_at = ?, address = ?
        WHERE instance = ? AND recipient_key = ? AND identity IN (SELECT value FROM json_each(?))
        RETURNING message_id
        """,
        (stamp(now), claim.recipient.address, claim.instance, claim.recipient_key, json.dumps(claim.identities)),
    ).fetchall()
    # What was taken up again while this attempt was under way without it goes into a message of its own.
    connection.execute(
        """
        UPDATE delivery SET state = 'cancelled', reason = ?, settled_at = ?
        WHERE message_id = ? AND state IN ('pending', 'failed')
        """,
        (Reason.LEFT_BEHIND, stamp(now), claim.message_id),
    )
    if _supersede(connection, claim, covered, now) or any(row["message_id"] != claim.message_id for row in moved):
        cancel_empty_messages(connection, claim.instance, now)


def _lock_messages(connection: Connection, claim: Claim, identities: Sequence[str]) -> None:
    """Lock the message, and those that the rows in question may be in by now."""
    if connection.locking:
        connection.execute(
            f"""
            SELECT id FROM message WHERE id = :id OR id IN (
                SELECT message_id FROM delivery
                WHERE instance = :instance AND recipient_key = :key
                  AND identity IN (SELECT value FROM json_each(:identities)))
            ORDER BY id {connection.locking}
            """,  # noqa: S608 - only our own constant is put in
            {
                "id": claim.message_id,
                "instance": claim.instance,
                "key": claim.recipient_key,
                "identities": json.dumps(identities),
            },
        )


def _supersede(connection: Connection, claim: Claim, covered: Sequence[str], now: datetime) -> bool:
    """Give up what is said with this: a dead process may have held it when the check planned what says it all."""
    if not covered:
        return False
    superseded = connection.execute(
        """
        UPDATE delivery SET state = 'superseded', reason = ?, settled_at = ?
        WHERE instance = ? AND recipient_key = ? AND identity IN (SELECT value FROM json_each(?))
          AND state IN ('pending', 'failed')
        """,
        (Reason.COVERED, stamp(now), claim.instance, claim.recipient_key, json.dumps(covered)),
    )
    return bool(superseded.rowcount)


def _record_sink(connection: Connection, claim: Claim, settlement: Settlement, now: datetime) -> None:
    """Keep the sink's own account: whether it backs off as a whole, and since when nothing is accepted.

    A message that is refused while others are accepted is its own recipient's trouble. Where nothing has been accepted
    since it was planned the sink fails, whatever it says: a mail server that relays for nobody refuses each recipient.
    """
    works = settlement.sink_retry_at is None and not settlement.stops_sink
    connection.execute(
        """
        INSERT INTO sink (instance, name, settings) VALUES (:instance, :name, :settings)
        ON CONFLICT (instance, name) DO NOTHING
        """,
        {"instance": claim.instance, "name": claim.recipient.sink, "settings": claim.settings},
    )
    connection.execute(
        """
        UPDATE sink
        SET settings = :settings,
            failures = CASE WHEN :works THEN 0 ELSE failures + 1 END,
            failing_since = CASE WHEN :sent OR (:works AND sent_at >= :planned AND sent_at <= :now) THEN NULL
                                 WHEN failing_since < :now THEN failing_since ELSE :now END,
            retry_at = :retry_at,
            stopped_key = CASE WHEN :stops THEN :key ELSE stopped_key END,
            reply = :reply,
            sent_at = CASE WHEN :sent THEN :now ELSE sent_at END
        WHERE instance = :instance AND name = :name
        """,
        {
            "settings": claim.settings,
            "works": works,
            "now": stamp(now),
            "planned": stamp(claim.created_at),
            "retry_at": settlement.sink_retry_at and stamp(settlement.sink_retry_at),
            "stops": settlement.stops_sink,
            "key": claim.recipient_key,
            "reply": settlement.reply,
            "sent": settlement.outcome is Outcome.SENT,
            "instance": claim.instance,
            "name": claim.recipient.sink,
        },
    )
