"""Counts of undelivered messages and due times: for `status`, the exit code of `check`, and the daemon's schedule."""

import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from mastodon_update_check.domain.outbox import LONGEST_WAIT
from mastodon_update_check.ledger.attempts import IS_CAPPED, IS_DUE, IS_REACHED, due_parameters, read_sink
from mastodon_update_check.ledger.engine import Transaction, read_row, read_stamp, reading, stamp

_LATEST_SHOWN = 10
_OPEN = "instance = :instance AND state IN ('pending', 'failed') AND sink IN (SELECT value FROM json_each(:sinks))"


@dataclass(frozen=True, slots=True, kw_only=True)
class SinkAccount:
    """The state of a sink."""

    name: str
    settings: str
    undelivered: int
    failing_since: datetime | None
    retry_at: datetime | None
    is_stopped: bool
    """The receiver asked never to be tried again (HTTP 410)."""
    reply: str
    sent_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class UndeliveredMessage:
    """A message that was not accepted at its last attempt."""

    sink: str
    address: str
    is_refused: bool
    """Whether it was refused permanently; otherwise it is deferred."""
    reply: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxSummary:
    """Numbers of undelivered messages."""

    deferred: int
    failed: int
    held_back: int
    """Of the deferred, those that wait because their recipient has reached the limit of mails for a day."""
    waiting_since: datetime | None
    sinks: tuple[SinkAccount, ...]
    latest: tuple[UndeliveredMessage, ...] = ()

    @property
    def undelivered(self) -> int:
        """Return the number of all undelivered messages."""
        return self.deferred + self.failed


def summarise(transaction: Transaction, now: datetime, sinks: Collection[str]) -> OutboxSummary:
    """Count the instance's open messages, of the sinks that are configured."""
    asked = json.dumps(sorted(sinks))
    row = transaction.execute(
        f"""
        SELECT count(*) FILTER (WHERE state = 'pending') AS deferred,
               count(*) FILTER (WHERE state = 'failed') AS failed,
               count(*) FILTER (WHERE {IS_DUE} AND {IS_CAPPED}) AS held_back
        FROM message WHERE {_OPEN}
        """,  # noqa: S608 - only our own constants are put in
        sinks=asked,
        **due_parameters(now, now),
    ).fetchone()
    oldest = transaction.execute(
        f"SELECT min(planned_at) AS oldest FROM delivery WHERE {_OPEN}",  # noqa: S608 - only our own constant is put in
        sinks=asked,
    ).fetchone()
    accounts = transaction.execute(
        """
        SELECT sink.*, stopped_key IS NOT NULL AS is_stopped, (
            SELECT count(*) FROM message
            WHERE instance = sink.instance AND sink = sink.name AND state IN ('pending', 'failed')) AS undelivered
        FROM sink WHERE instance = :instance AND name IN (SELECT value FROM json_each(:sinks)) ORDER BY name
        """,
        sinks=asked,
    )
    return OutboxSummary(
        deferred=row["deferred"],
        failed=row["failed"],
        held_back=row["held_back"],
        waiting_since=read_stamp(oldest["oldest"]),
        sinks=tuple(read_row(SinkAccount, row) for row in accounts),
        latest=_read_latest(transaction, asked),
    )


def _read_latest(transaction: Transaction, asked: str) -> tuple[UndeliveredMessage, ...]:
    rows = transaction.execute(
        f"""
        SELECT message.sink, message.recipient, attempt.outcome = 'failed' AS is_refused, attempt.reply
        FROM message JOIN attempt ON attempt.message_id = message.id AND attempt.number = message.attempts
        WHERE {_OPEN} AND attempt.outcome <> 'sent' AND attempt.reply <> ''
        ORDER BY attempt.ended_at DESC, message.id LIMIT {_LATEST_SHOWN}
        """,  # noqa: S608 - only our own constants are put in
        sinks=asked,
    )
    with reading():
        return tuple(read_row(UndeliveredMessage, row, address=json.loads(row["recipient"])["address"]) for row in rows)


def find_next_due(transaction: Transaction, sink: str, now: datetime, *, only_to: str = "") -> datetime | None:
    """Return a sink's next due time, or None if all wait for another day; one too far ahead counts as now."""
    state = read_sink(transaction, sink)
    due = read_stamp(
        transaction.execute(
            f"""
            SELECT min(CASE WHEN due_at > :longest THEN :now ELSE due_at END) AS next
            FROM message
            WHERE instance = :instance AND sink = :sink AND state IN ('pending', 'failed')
              AND (:stopped IS NULL OR recipient_key <> :stopped) AND {IS_REACHED} AND NOT {IS_CAPPED}
            """,  # noqa: S608 - only our own constants are put in
            sink=sink,
            only_to=only_to,
            stopped=state and state["stopped_key"],
            **due_parameters(now, now),
        ).fetchone()["next"]
    )
    retry_at = read_stamp(state["retry_at"]) if state else None
    if due is None or retry_at is None or retry_at > now + LONGEST_WAIT:
        return due
    return max(due, retry_at)


def count_sent(transaction: Transaction, since: datetime) -> int:
    """Count the messages that were accepted since an instant."""
    row = transaction.execute(
        "SELECT count(*) AS sent FROM message WHERE instance = :instance AND state = 'sent' AND settled_at >= :since",
        since=stamp(since),
    ).fetchone()
    return int(row["sent"])
