"""Working the outbox off: claim one message, keep the claim alive, give it back.

Every function runs inside a write transaction of the caller. A claim is a random token with a lease; whoever finds
the lease run out may claim anew.
"""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import uuid4

from mastodon_update_check.domain.notice_json import from_json
from mastodon_update_check.domain.notices import Notice
from mastodon_update_check.domain.outbox import LEASE, LONGEST_WAIT, MAILS_A_DAY, Outcome
from mastodon_update_check.domain.recipients import Recipient, read_recipient
from mastodon_update_check.ledger.engine import Connection, Row
from mastodon_update_check.ledger.failures import reading
from mastodon_update_check.ledger.instants import read_stamp, stamp
from mastodon_update_check.ledger.rows import IS_CLAIMED, moment

IS_DUE = """
    message.state IN ('pending', 'failed') AND (message.due_at <= :due_by OR message.due_at > :longest)
"""
IS_CAPPED = """
    (message.sink = 'email' AND :cap <= (
        SELECT count(*) FROM message AS other
        WHERE other.instance = message.instance AND other.sink = message.sink
          AND other.recipient_key = message.recipient_key AND other.state = 'sent'
          AND other.settled_at > :day_ago AND other.settled_at <= :now)
    + CASE WHEN message.recipient_key IN (
        SELECT recipient_key FROM message
        WHERE instance = :instance AND sink = 'email' AND state IN ('pending', 'failed')
          AND claim IS NOT NULL AND lease_until > :now AND lease_until <= :lease_end)
    THEN (
        SELECT count(*) FROM message AS other
        WHERE other.instance = message.instance AND other.sink = message.sink AND other.id <> message.id
          AND other.recipient_key = message.recipient_key AND other.state IN ('pending', 'failed')
          AND other.claim IS NOT NULL AND other.lease_until > :now AND other.lease_until <= :lease_end)
    ELSE 0 END)
"""
"""Whether its recipient has had enough mail for a day, with what others are sending at this moment."""

IS_REACHED = "(:only_to = '' OR message.recipient_key = :only_to)"
"""Whether the sink, as it is set now, leads to its recipient."""
_ORDER = "is_urgent DESC, due_at, created_at, id"
"""That of the index `message_open`: the first row that may be claimed ends the search."""
FRESH = timedelta(seconds=1)
"""A lease that was written so short a time ago needs not be written anew."""


class OvertakenError(Exception):
    """Others have claimed meanwhile: what is to be claimed now is to be looked for anew."""


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
    only_to: str = ""
    """The only recipient that these settings lead to, by key; empty for sinks that deliver to any address."""


def due_parameters(now: datetime, due_by: datetime) -> dict[str, object]:
    """Return the parameters of `IS_DUE` and `IS_CAPPED`; a due time too far ahead was written by a wrong clock."""
    return {
        **moment(now),
        "due_by": stamp(due_by),
        "longest": stamp(now + LONGEST_WAIT),
        "cap": MAILS_A_DAY,
        "day_ago": stamp(now - timedelta(days=1)),
    }


def claim_next(  # noqa: PLR0913, PLR0917 - what a sink is to the ledger
    connection: Connection, instance: str, sink: str, settings: str, only_to: str, now: datetime, due_by: datetime
) -> Claim | None:
    """Claim the most urgent message of a sink that was due at `due_by`, and write down that it is being tried.

    While the sink fails as a whole, what was tried least goes first: a message that makes it fail blocks no other.
    What waits for the URL that a webhook had before is not for the one that it has now: that is told for itself.
    """
    state = connection.execute("SELECT * FROM sink WHERE instance = ? AND name = ?", (instance, sink)).fetchone()
    if state is not None and _backs_off(state, settings, now):
        return None
    sink_failures = 0 if state is None else int(state["failures"])
    order = f"failures, {_ORDER}" if sink_failures else _ORDER
    row = connection.execute(
        f"""
        SELECT * FROM message
        WHERE instance = :instance AND sink = :sink AND {IS_DUE} AND NOT {IS_CLAIMED} AND NOT {IS_CAPPED}
          AND (:stopped IS NULL OR recipient_key <> :stopped) AND {IS_REACHED}
        ORDER BY {order} LIMIT 1 {connection.picking}
        """,  # noqa: S608 - only our own constants are put in
        {
            "instance": instance,
            "sink": sink,
            "stopped": state and state["stopped_key"],
            "only_to": only_to,
            **due_parameters(now, due_by),
        },
    ).fetchone()
    if row is None:
        return None
    if connection.take_turns(f"{instance} {sink} {row['recipient_key']}"):
        _look_again(connection, row, due_parameters(now, due_by))
    return _take(connection, row, sink_failures, settings, only_to, now)


def _look_again(connection: Connection, row: Row, parameters: dict[str, object]) -> None:
    """Make sure that nobody has claimed so many others for this recipient meanwhile that this one is too many."""
    still = connection.execute(
        f"SELECT 1 AS fits FROM message WHERE id = :id AND NOT {IS_CAPPED}",  # noqa: S608 - our own constant
        {"id": row["id"], "instance": row["instance"], **parameters},
    ).fetchone()
    if still is None:
        raise OvertakenError


def _backs_off(state: Row, settings: str, now: datetime) -> bool:
    """Whether the sink as a whole waits; other settings than those that failed are tried at once."""
    retry_at = read_stamp(state["retry_at"])
    return retry_at is not None and now < retry_at <= now + LONGEST_WAIT and state["settings"] == settings


def _take(connection: Connection, row: Row, sink_failures: int, settings: str, only_to: str, now: datetime) -> Claim:
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
    with reading("a message"):
        return Claim(
            token=token,
            message_id=row["id"],
            attempt=attempt,
            instance=row["instance"],
            recipient_key=row["recipient_key"],
            recipient=read_recipient(json.loads(row["recipient"])),
            notices=tuple(from_json(json.loads(delivery["notice"])) for delivery in deliveries),
            identities=identities,
            created_at=datetime.fromisoformat(row["created_at"]),
            failures=row["failures"],
            sink_failures=sink_failures,
            settings=settings,
            only_to=only_to,
        )


def renew_claim(connection: Connection, claim: Claim, now: datetime) -> bool:
    """Extend the lease; say whether the claim still stood."""
    return bool(
        connection.execute(
            "UPDATE message SET lease_until = ? WHERE id = ? AND claim = ?",
            (stamp(now + LEASE), claim.message_id, claim.token),
        ).rowcount
    )


def confirm_claim(connection: Connection, claim: Claim, now: datetime) -> bool:
    """Whether the claim stands with a lease that was written within the last second; nothing is changed."""
    return (
        connection.execute(
            "SELECT id FROM message WHERE id = ? AND claim = ? AND lease_until > ? AND lease_until <= ?",
            (claim.message_id, claim.token, stamp(now + LEASE - FRESH), stamp(now + LEASE)),
        ).fetchone()
        is not None
    )


def release_claim(connection: Connection, claim: Claim, now: datetime) -> None:
    """Give a message back whose attempt was cut short: nobody knows what came of it, and it stays due."""
    held = connection.execute(
        "UPDATE message SET claim = NULL, lease_until = NULL WHERE id = ? AND claim = ?",
        (claim.message_id, claim.token),
    ).rowcount
    if held:
        end_attempt(connection, claim, Outcome.UNKNOWN, "", now)


def end_attempt(connection: Connection, claim: Claim, outcome: Outcome, reply: str, now: datetime) -> None:
    """Write down how an attempt ended."""
    connection.execute(
        "UPDATE attempt SET outcome = ?, reply = ?, ended_at = ? WHERE message_id = ? AND number = ?",
        (outcome, reply, stamp(now), claim.message_id, claim.attempt),
    )
