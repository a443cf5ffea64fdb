"""Attempts: each is recorded before its message is sent, inside a write transaction of the caller; and earlier ones.

An attempt without an outcome is in progress, or its process has died. The next delivery process closes those.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from mastodon_update_check.domain.notices import Notice
from mastodon_update_check.domain.outbox import LONGEST_WAIT, MAILS_A_DAY, Outcome, retry_delay
from mastodon_update_check.domain.recipients import Recipient
from mastodon_update_check.domain.stored_json import from_json
from mastodon_update_check.ledger.engine import Row, Transaction, read_row, read_stamp, reading, stamp

IS_BEING_SENT = """
    EXISTS (SELECT 1 FROM attempt WHERE attempt.message_id = message.id AND attempt.outcome IS NULL)
"""
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
IS_REACHED = "(:only_to = '' OR message.recipient_key = :only_to)"
"""Whether the sink, as it is set now, leads to its recipient."""
CRASH_SPACING = timedelta(seconds=10)
"""How far apart messages are tried again that were in progress together when their process crashed twice."""
_ORDER = "is_urgent DESC, due_at, created_at, id"
"""The order of the index `message_open`, so that the search ends at the first row that may be sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One attempt to send a message, with everything needed to compose it and to record the outcome."""

    message_id: str
    number: int
    recipient_key: str
    """The key of the planned rows. A recipient's present key may differ."""
    recipient: Recipient
    notices: tuple[Notice, ...]
    identities: tuple[str, ...]
    created_at: datetime
    dated_at: datetime
    """Start of the first attempt that may have arrived; of this attempt if there is none."""
    failures: int
    sink_failures: int
    settings: str
    """Fingerprint of the sink's settings that this attempt is made with."""


def due_parameters(now: datetime, due_by: datetime) -> dict[str, object]:
    """Return the parameters of `IS_DUE` and `IS_CAPPED`; a due time too far ahead comes from a wrong clock."""
    return {
        "now": stamp(now),
        "due_by": stamp(due_by),
        "longest": stamp(now + LONGEST_WAIT),
        "cap": MAILS_A_DAY,
        "day_ago": stamp(now - timedelta(days=1)),
    }


def begin_attempt(
    transaction: Transaction, sink: str, settings: str, now: datetime, due_by: datetime, *, only_to: str = ""
) -> Attempt | None:
    """Begin an attempt at the most urgent message of a sink that was due at `due_by`; None when there is none.

    While the sink as a whole fails, the message with the fewest failures goes first, so that one that makes the sink
    fail blocks no other. Messages for a former URL of a webhook stay: the new URL is another recipient, whose key is
    `only_to`.
    """
    state = read_sink(transaction, sink)
    sink_failures = 0
    if state is not None:
        sink_failures, retry_at = int(state["failures"]), read_stamp(state["retry_at"])
        # Changed settings are tried at once.
        if retry_at is not None and now < retry_at <= now + LONGEST_WAIT and state["settings"] == settings:
            return None
    order = f"failures, {_ORDER}" if sink_failures else _ORDER
    row = transaction.execute(
        f"""
        SELECT * FROM message
        WHERE instance = :instance AND sink = :sink AND {IS_DUE} AND NOT {IS_CAPPED} AND NOT {IS_BEING_SENT}
          AND (:stopped IS NULL OR recipient_key <> :stopped) AND {IS_REACHED}
        ORDER BY {order} LIMIT 1
        """,  # noqa: S608 - only our own constants are put in
        sink=sink,
        stopped=state and state["stopped_key"],
        only_to=only_to,
        **due_parameters(now, due_by),
    ).fetchone()
    return None if row is None else _begin(transaction, row, sink_failures, settings, now)


def read_sink(transaction: Transaction, name: str) -> Row:
    """Return the stored state of a sink; None before its first attempt."""
    return transaction.execute("SELECT * FROM sink WHERE instance = :instance AND name = :name", name=name).fetchone()


def _begin(transaction: Transaction, row: Row, sink_failures: int, settings: str, now: datetime) -> Attempt:
    deliveries = transaction.execute(
        """
        SELECT identity, notice FROM delivery
        WHERE message_id = :id AND state IN ('pending', 'failed') ORDER BY identity
        """,
        id=row["id"],
    ).fetchall()
    number = int(row["attempts"]) + 1
    identities = tuple(delivery["identity"] for delivery in deliveries)
    first = transaction.execute(
        "SELECT min(started_at) AS at FROM attempt WHERE message_id = :id AND outcome = 'unknown'", id=row["id"]
    ).fetchone()
    transaction.execute("UPDATE message SET attempts = :number WHERE id = :id", number=number, id=row["id"])
    transaction.execute(
        "INSERT INTO attempt (message_id, number, started_at, identities) VALUES (:id, :number, :now, :identities)",
        id=row["id"],
        number=number,
        now=stamp(now),
        identities=json.dumps(identities),
    )
    with reading():
        return read_row(
            Attempt,
            row,
            message_id=row["id"],
            number=number,
            notices=tuple(from_json(Notice, json.loads(delivery["notice"])) for delivery in deliveries),
            identities=identities,
            dated_at=read_stamp(first["at"]) or now,
            sink_failures=sink_failures,
            settings=settings,
        )


def close_open_attempts(transaction: Transaction, now: datetime, *, has_crashed: bool = False) -> int:
    """Mark attempts that a dead process has left open as `unknown`; return their number.

    Their messages stay due and are sent again with the same id. If the process crashed twice at the same message, the
    message waits as after a failure, so that the crash does not repeat in a loop. Messages that were in progress
    together wait for different times, so that the next crash interrupts only the message that causes it.
    """
    found = transaction.execute(
        """
        SELECT message.id, message.failures, message.state, attempt.number, EXISTS (
            SELECT 1 FROM attempt AS former WHERE former.message_id = message.id
              AND former.number = attempt.number - 1 AND former.outcome = 'unknown') AS again
        FROM attempt JOIN message ON message.id = attempt.message_id
        WHERE message.instance = :instance AND attempt.outcome IS NULL
        ORDER BY message.id
        """
    ).fetchall()
    for place, row in enumerate(found):
        end_attempt(transaction, row["id"], row["number"], Outcome.UNKNOWN, "", now)
        if has_crashed and row["again"] and row["state"] in {"pending", "failed"}:
            failures = int(row["failures"]) + 1
            transaction.execute(
                "UPDATE message SET failures = :failures, due_at = :due_at WHERE id = :id",
                failures=failures,
                due_at=stamp(now + retry_delay(failures, 0.5) + place * CRASH_SPACING),
                id=row["id"],
            )
    return len(found)


def end_attempt(transaction: Transaction, id_: str, number: int, outcome: Outcome, reply: str, now: datetime) -> bool:
    """Record the outcome of an attempt at a message; return False if it had one already, and was not accepted now."""
    still_open = "" if outcome is Outcome.SENT else " AND outcome IS NULL"
    return bool(
        transaction.execute(
            f"""
            UPDATE attempt SET outcome = :outcome, reply = :reply, ended_at = :now
            WHERE message_id = :id AND number = :number{still_open}
            """,  # noqa: S608 - only our own constant is put in
            outcome=outcome,
            reply=reply,
            now=stamp(now),
            id=id_,
            number=number,
        ).rowcount
    )


def hurry(
    transaction: Transaction, message_ids: Iterable[str], sinks: Iterable[str], now: datetime, *, is_started: bool
) -> int:
    """Make messages not in an attempt, and sinks, due now, also stopped ones (410) if `is_started`; count messages."""
    transaction.execute(  # `failing_since` stays until the sink accepts a message
        f"""
        UPDATE sink SET retry_at = NULL, failures = 0{", stopped_key = NULL" if is_started else ""}
        WHERE instance = :instance AND name IN (SELECT value FROM json_each(:sinks))
        """,  # noqa: S608 - only our own constant is put in
        sinks=json.dumps(list(sinks)),
    )
    hurried = transaction.execute(
        f"""
        UPDATE message SET due_at = :due_at, failures = 0
        WHERE id IN (SELECT value FROM json_each(:ids)) AND state IN ('pending', 'failed') AND NOT {IS_BEING_SENT}
        """,  # noqa: S608 - only our own constant is put in
        ids=json.dumps(list(message_ids)),
        due_at=stamp(now),
    )
    return int(hurried.rowcount)


def hurry_changed(transaction: Transaction, sinks: Mapping[str, str], now: datetime) -> None:
    """Make messages, and sinks, due whose last attempt had settings of another fingerprint than `sinks` has."""
    rows = [
        {"instance": transaction.instance, "sink": sink, "settings": settings, "now": stamp(now)}
        for sink, settings in sinks.items()
    ]
    transaction.connection.executemany(
        """
        UPDATE sink SET retry_at = NULL, failures = 0
        WHERE instance = :instance AND name = :sink AND settings <> :settings
        """,
        rows,
    )
    transaction.connection.executemany(
        f"""
        UPDATE message SET due_at = :now, failures = 0, tried_settings = ''
        WHERE instance = :instance AND sink = :sink AND state IN ('pending', 'failed') AND due_at IS NOT NULL
          AND tried_settings <> '' AND tried_settings <> :settings AND NOT {IS_BEING_SENT}
        """,  # noqa: S608 - only our own constant is put in
        rows,
    )


def lift_stops(transaction: Transaction, recipients: Sequence[Recipient]) -> None:
    """Clear the stop and `failing_since` of webhooks that have another URL now."""
    transaction.execute(
        """
        UPDATE sink SET stopped_key = NULL, failing_since = NULL
        WHERE instance = :instance AND name IN (SELECT value FROM json_each(:sinks))
          AND stopped_key IS NOT NULL AND stopped_key NOT IN (SELECT value FROM json_each(:keys))
        """,
        sinks=json.dumps(sorted({recipient.sink for recipient in recipients})),
        keys=json.dumps(sorted({recipient.key for recipient in recipients})),
    )
