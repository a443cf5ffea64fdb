"""Retry before the due time, on request; inside a write transaction of the caller."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from mastodon_update_check.domain.recipients import Recipient
from mastodon_update_check.ledger.attempts import IS_BEING_SENT
from mastodon_update_check.ledger.engine import Transaction, stamp


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
