"""Working the outbox off: claim one message, keep the claim alive, record what came of it.

Every function runs inside a write transaction of the caller. A claim is a random token with a lease; whoever finds
the lease run out may claim anew. An acceptance is recorded even if the claim was lost meanwhile: it is the truth.
"""

import json
import sqlite3
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import uuid4

from mastodon_update_check.core.notices import Notice, from_json
from mastodon_update_check.core.outbox import LEASE, LONGEST_WAIT, MAILS_A_DAY, Outcome, Settlement
from mastodon_update_check.core.recipients import Recipient
from mastodon_update_check.ledger.instants import read_stamp, stamp
from mastodon_update_check.ledger.rows import IS_CLAIMED, cancel_empty_messages, moment, read_recipient

IS_DUE = """
    message.state IN ('pending', 'failed') AND (message.due_at <= :due_by OR message.due_at > :longest)
"""
IS_CAPPED = """
    (message.sink = 'email' AND :cap <= (
        SELECT count(*) FROM message AS other
        WHERE other.instance = message.instance AND other.sink = message.sink
          AND other.recipient_key = message.recipient_key AND other.state = 'sent'
          AND other.settled_at > :day_ago AND other.settled_at <= :now))
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """One message in the hands of one sender: all it takes to compose it and to settle the attempt."""

    token: str
    message_id: str
    attempt: int
    instance: str
    recipient_key: str
    """The key that the rows were planned under; by its address the recipient may have become another since."""
    recipient: Recipient
    notices: tuple[Notice, ...]
    identities: tuple[str, ...]
    created_at: datetime
    failures: int
    sink_failures: int
    settings: str
    """Fingerprint of the sink's settings that this attempt is made with."""


def due_parameters(now: datetime, due_by: datetime) -> dict[str, object]:
    """Return the parameters of `IS_DUE` and `IS_CAPPED`; a due time too far ahead was written by a wrong clock."""
    return {
        **moment(now),
        "due_by": stamp(due_by),
        "longest": stamp(now + LONGEST_WAIT),
        "cap": MAILS_A_DAY,
        "day_ago": stamp(now - timedelta(days=1)),
    }


def claim_next(
    connection: sqlite3.Connection, instance: str, sink: str, settings: str, now: datetime, due_by: datetime
) -> Claim | None:
    """Claim the most urgent message of a sink that was due at `due_by`, and write down that it is being tried."""
    state = connection.execute("SELECT * FROM sink WHERE instance = ? AND name = ?", (instance, sink)).fetchone()
    if state is not None and _backs_off(state, settings, now):
        return None
    row = connection.execute(
        f"""
        SELECT * FROM message
        WHERE instance = :instance AND sink = :sink AND {IS_DUE} AND NOT {IS_CLAIMED} AND NOT {IS_CAPPED}
          AND recipient_key IS NOT :stopped
        ORDER BY is_urgent DESC, due_at, created_at, id LIMIT 1
        """,  # noqa: S608 - only our own constants are put in
        {"instance": instance, "sink": sink, "stopped": state and state["stopped_key"], **due_parameters(now, due_by)},
    ).fetchone()
    return None if row is None else _take(connection, row, 0 if state is None else state["failures"], settings, now)


def _backs_off(state: sqlite3.Row, settings: str, now: datetime) -> bool:
    """Whether the sink as a whole waits; other settings than those that failed are tried at once."""
    retry_at = read_stamp(state["retry_at"])
    return retry_at is not None and now < retry_at <= now + LONGEST_WAIT and state["settings"] == settings


def _take(
    connection: sqlite3.Connection, row: sqlite3.Row, sink_failures: int, settings: str, now: datetime
) -> Claim | None:
    deliveries = connection.execute(
        """
        SELECT identity, notice FROM delivery WHERE message_id = ? AND state IN ('pending', 'failed') ORDER BY identity
        """,
        (row["id"],),
    ).fetchall()
    token = uuid4().hex
    attempt = int(row["attempts"]) + 1
    identities = tuple(delivery["identity"] for delivery in deliveries)
    connection.execute(
        "UPDATE attempt SET outcome = 'unknown', ended_at = ? WHERE message_id = ? AND outcome IS NULL",
        (stamp(now), row["id"]),
    )
    connection.execute(
        "UPDATE message SET claim = ?, lease_until = ?, attempts = ? WHERE id = ?",
        (token, stamp(now + LEASE), attempt, row["id"]),
    )
    connection.execute(
        "INSERT INTO attempt (message_id, number, started_at, identities) VALUES (?, ?, ?, ?)",
        (row["id"], attempt, stamp(now), json.dumps(identities)),
    )
    return Claim(
        token=token,
        message_id=row["id"],
        attempt=attempt,
        instance=row["instance"],
        recipient_key=row["recipient_key"],
        recipient=read_recipient(row["recipient"]),
        notices=tuple(from_json(json.loads(delivery["notice"])) for delivery in deliveries),
        identities=identities,
        created_at=datetime.fromisoformat(row["created_at"]),
        failures=row["failures"],
        sink_failures=sink_failures,
        settings=settings,
    )


def renew_claim(connection: sqlite3.Connection, claim: Claim, now: datetime) -> bool:
    """Extend the lease; say whether the claim still stood."""
    return bool(
        connection.execute(
            "UPDATE message SET lease_until = ? WHERE id = ? AND claim = ?",
            (stamp(now + LEASE), claim.message_id, claim.token),
        ).rowcount
    )


def release_claim(connection: sqlite3.Connection, claim: Claim, now: datetime) -> None:
    """Give a message back whose attempt was cut short: nobody knows what came of it, and it stays due."""
    held = connection.execute(
        "UPDATE message SET claim = NULL, lease_until = NULL WHERE id = ? AND claim = ?",
        (claim.message_id, claim.token),
    ).rowcount
    if held:
        _end_attempt(connection, claim, Outcome.UNKNOWN, "", now)


def record_attempt(connection: sqlite3.Connection, claim: Claim, settlement: Settlement, now: datetime) -> None:
    """Write down what came of an attempt."""
    _end_attempt(connection, claim, settlement.outcome, settlement.reply, now)
    _record_sink(connection, claim, settlement, now)
    if settlement.outcome is Outcome.SENT:
        _record_acceptance(connection, claim, now)
        return
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


def _record_acceptance(connection: sqlite3.Connection, claim: Claim, now: datetime) -> None:
    """Mark what this attempt carried as told, also what was cancelled, or planned anew, while it was under way."""
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
    if any(row["message_id"] != claim.message_id for row in moved):
        cancel_empty_messages(connection, claim.instance, now)


def _end_attempt(connection: sqlite3.Connection, claim: Claim, outcome: Outcome, reply: str, now: datetime) -> None:
    connection.execute(
        "UPDATE attempt SET outcome = ?, reply = ?, ended_at = ? WHERE message_id = ? AND number = ?",
        (outcome, reply, stamp(now), claim.message_id, claim.attempt),
    )


def _record_sink(connection: sqlite3.Connection, claim: Claim, settlement: Settlement, now: datetime) -> None:
    """Keep the sink's own account: it fails as a whole, or it works."""
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
            failing_since = CASE WHEN :works THEN NULL ELSE coalesce(failing_since, :now) END,
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
            "retry_at": settlement.sink_retry_at and stamp(settlement.sink_retry_at),
            "stops": settlement.stops_sink,
            "key": claim.recipient_key,
            "reply": settlement.reply,
            "sent": settlement.outcome is Outcome.SENT,
            "instance": claim.instance,
            "name": claim.recipient.sink,
        },
    )
