"""Delete rows that are not needed any more, so that the ledger stays small and checks stay fast.

Sent notices are kept, and so is every attempt that may have arrived, because a repeat must have the same id. The rest
is kept for 90 days, for `explain`.
"""

from datetime import datetime, timedelta

from mastodon_update_check.ledger.engine import Transaction, stamp

KEPT = timedelta(days=90)
"""How long settled attempts, and cancelled rows without attempts, are kept."""

_STEPS = (
    # Of an open message the last attempt is kept, for `status`. Of one that was not accepted, each set of rows that may
    # have arrived is remembered by the latest attempt that carried it.
    """
    DELETE FROM attempt
    WHERE ended_at < :before
      AND NOT EXISTS (SELECT 1 FROM message WHERE id = attempt.message_id AND attempts = attempt.number
                      AND state IN ('pending', 'failed'))
      AND (outcome = 'failed'
           OR EXISTS (SELECT 1 FROM message WHERE id = attempt.message_id AND state = 'sent')
           OR EXISTS (SELECT 1 FROM attempt AS later
                      WHERE later.message_id = attempt.message_id AND later.number > attempt.number
                        AND later.identities = attempt.identities
                        AND (later.outcome IS NULL OR later.outcome <> 'failed')))
    """,
    # Cancelled, and without an attempt that may have arrived: it can be planned again as if for the first time.
    """
    DELETE FROM delivery
    WHERE state IN ('cancelled', 'superseded') AND settled_at < :before
      AND NOT EXISTS (SELECT 1 FROM attempt WHERE message_id = delivery.message_id)
    """,
    """
    DELETE FROM message
    WHERE state = 'cancelled' AND settled_at < :before
      AND NOT EXISTS (SELECT 1 FROM delivery WHERE message_id = message.id)
      AND NOT EXISTS (SELECT 1 FROM attempt WHERE message_id = message.id)
    """,
    # Hosts that are gone, such as containers, each of which has a name of its own.
    "DELETE FROM node WHERE beat_at < :before",
    "DELETE FROM request WHERE asked_at < :before",
)


def prune(transaction: Transaction, now: datetime) -> None:
    """Delete old rows; no deleted row can lead to a repeat or to another id."""
    for step in _STEPS:
        transaction.execute(step, before=stamp(now - KEPT))
