"""Trying again before it is due, because somebody asks for it; inside a write transaction of the caller."""

from collections.abc import Iterable
from datetime import datetime

from mastodon_update_check.ledger.engine import Connection
from mastodon_update_check.ledger.instants import stamp
from mastodon_update_check.ledger.rows import IS_CLAIMED, moment


def hurry_messages(connection: Connection, message_ids: Iterable[str], now: datetime) -> int:
    """Make messages due now, and their waits begin anew; return how many. What is being sent is left alone."""
    hurried = 0
    for message_id in message_ids:
        hurried += connection.execute(
            f"""
            UPDATE message SET due_at = :due_at, failures = 0
            WHERE id = :id AND state IN ('pending', 'failed') AND NOT {IS_CLAIMED}
            """,  # noqa: S608 - only our own constant is put in
            {"id": message_id, "due_at": stamp(now), **moment(now)},
        ).rowcount
    return hurried


def wake_sinks(connection: Connection, instance: str, sinks: Iterable[str], *, is_started: bool) -> None:
    """End the wait of sinks that back off as a whole; with `is_started` also of those that were stopped for good.

    Since when they have been failing stays: it is true until something is accepted.
    """
    for sink in sinks:
        connection.execute(
            f"""
            UPDATE sink SET retry_at = NULL, failures = 0{", stopped_key = NULL" if is_started else ""}
            WHERE instance = :instance AND name = :name
            """,  # noqa: S608 - only our own constant is put in
            {"instance": instance, "name": sink},
        )
