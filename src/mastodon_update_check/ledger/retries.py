"""Retry before the due time, on request; inside a write transaction of the caller."""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime

from mastodon_update_check.domain.recipients import Recipient
from mastodon_update_check.ledger.attempts import IS_BEING_SENT
from mastodon_update_check.ledger.engine import Connection
from mastodon_update_check.ledger.instants import stamp


def hurry_messages(connection: Connection, message_ids: Iterable[str], now: datetime) -> int:
    """Make messages due now and reset their backoff; return their number. Messages in an attempt stay as they are."""
    hurried = 0
    for message_id in message_ids:
        hurried += connection.execute(
            f"""
            UPDATE message SET due_at = :due_at, failures = 0
            WHERE id = :id AND state IN ('pending', 'failed') AND NOT {IS_BEING_SENT}
            """,  # noqa: S608 - only our own constant is put in
            {"id": message_id, "due_at": stamp(now)},
        ).rowcount
    return hurried


def wake_sinks(connection: Connection, instance: str, sinks: Iterable[str], *, is_started: bool) -> None:
    """End the backoff of sinks; with `is_started` also restart sinks that were stopped (HTTP 410).

    `failing_since` stays until the sink accepts a message.
    """
    for sink in sinks:
        connection.execute(
            f"""
            UPDATE sink SET retry_at = NULL, failures = 0{", stopped_key = NULL" if is_started else ""}
            WHERE instance = :instance AND name = :name
            """,  # noqa: S608 - only our own constant is put in
            {"instance": instance, "name": sink},
        )


def hurry_changed(connection: Connection, instance: str, sink: str, settings: str, now: datetime) -> None:
    """Make messages of a sink due whose last attempt was made with other settings, and end the sink's backoff."""
    parameters = {"instance": instance, "sink": sink, "settings": settings, "now": stamp(now)}
    connection.execute(
        """
        UPDATE sink SET retry_at = NULL, failures = 0
        WHERE instance = :instance AND name = :sink AND settings <> :settings
        """,
        parameters,
    )
    connection.execute(
        f"""
        UPDATE message SET due_at = :now, failures = 0, tried_settings = ''
        WHERE instance = :instance AND sink = :sink AND state IN ('pending', 'failed') AND due_at IS NOT NULL
          AND tried_settings <> '' AND tried_settings <> :settings AND NOT {IS_BEING_SENT}
        """,  # noqa: S608 - only our own constant is put in
        parameters,
    )


def lift_stops(connection: Connection, instance: str, recipients: Sequence[Recipient]) -> None:
    """Clear the stop and `failing_since` of webhooks that have another URL now."""
    connection.execute(
        """
        UPDATE sink SET stopped_key = NULL, failing_since = NULL
        WHERE instance = :instance AND name IN (SELECT value FROM json_each(:sinks))
          AND stopped_key IS NOT NULL AND stopped_key NOT IN (SELECT value FROM json_each(:keys))
        """,
        {
            "instance": instance,
            "sinks": json.dumps(sorted({recipient.sink for recipient in recipients})),
            "keys": json.dumps(sorted({recipient.key for recipient in recipients})),
        },
    )
