"""Marking what waits as told without sending it: for whoever sets this program up and knows it all already."""

from datetime import datetime

from mastodon_update_check.domain.reasons import Reason
from mastodon_update_check.ledger.engine import Connection
from mastodon_update_check.ledger.rows import IS_CLAIMED, cancel_empty_messages, moment


def mark_told(connection: Connection, instance: str, now: datetime) -> int:
    """Mark every row that waits as told, but what is being sent at this moment; return how many messages that empties.

    The messages count as given up: none was sent, and none counts among a recipient's mails of the day.
    """
    connection.execute(
        f"""
        UPDATE delivery SET state = 'sent', reason = :reason, settled_at = :now
        WHERE instance = :instance AND state IN ('pending', 'failed')
          AND message_id NOT IN (SELECT id FROM message WHERE instance = :instance AND {IS_CLAIMED})
        """,  # noqa: S608 - only our own constant is put in
        {"instance": instance, "reason": str(Reason.MARKED_AT_SETUP), **moment(now)},
    )
    return cancel_empty_messages(connection, instance, now)
