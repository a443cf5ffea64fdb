"""Mark pending notices as sent without sending them, for an administrator who knows them already."""

from datetime import datetime

from mastodon_update_check.domain.reasons import Reason
from mastodon_update_check.ledger.attempts import IS_BEING_SENT
from mastodon_update_check.ledger.engine import Transaction
from mastodon_update_check.ledger.instants import stamp
from mastodon_update_check.ledger.rows import cancel_empty_messages


def mark_notified(transaction: Transaction, now: datetime) -> int:
    """Mark every pending row as sent, except those in an attempt; return the number of messages that are now empty.

    These messages are cancelled, so they do not count towards a recipient's limit of mails for a day.
    """
    transaction.execute(
        f"""
        UPDATE delivery SET state = 'sent', reason = :reason, settled_at = :now
        WHERE instance = :instance AND state IN ('pending', 'failed')
          AND message_id NOT IN (SELECT id FROM message WHERE instance = :instance AND {IS_BEING_SENT})
        """,  # noqa: S608 - only our own constant is put in
        reason=str(Reason.MARKED_AT_SETUP),
        now=stamp(now),
    )
    return cancel_empty_messages(transaction, now)
