"""Queries for reminders and `is installed` notices: when a notice was sent, and which updates lack the second."""

from collections.abc import Iterable
from datetime import datetime

from mastodon_update_check.domain.reasons import Reason
from mastodon_update_check.domain.recipients import FollowUps
from mastodon_update_check.ledger.engine import Transaction
from mastodon_update_check.ledger.stored import stamp

NOTIFIED_AT = """
    CASE WHEN delivery.state <> 'sent' OR delivery.reason = :marked THEN NULL
         WHEN delivery.settled_at > delivery.planned_at THEN delivery.settled_at ELSE delivery.planned_at END
"""
"""When a row was accepted; an instant before the planning comes from a wrong clock."""
_URGENT = "notified.identity LIKE 'update/%/urgent'"
"""The condition of the index `delivery_urgent`, so that a check does not read every row."""
_PLAIN = "notified.identity LIKE 'update/%/plain' AND notified.address = ''"
_UNCLOSED = """
    SELECT DISTINCT notified.subject FROM delivery AS notified
    WHERE notified.instance = :instance AND notified.state = 'sent' AND {kind} AND notified.reason <> :marked
      AND NOT EXISTS (
        SELECT 1 FROM delivery AS closed
        WHERE closed.instance = notified.instance AND closed.identity = notified.subject || '/installed'
          AND closed.recipient_key = notified.recipient_key AND closed.state = 'sent')
"""


def read_unclosed(transaction: Transaction, closure: FollowUps) -> frozenset[str]:
    """Return the subjects of updates with a recipient who was notified of them, but not of their installation.

    Without `all` only urgent updates count; with it also others that were not sent by mail.
    """
    if closure is FollowUps.NONE:
        return frozenset()
    parts = [_UNCLOSED.format(kind=_URGENT), *([_UNCLOSED.format(kind=_PLAIN)] if closure is FollowUps.ALL else [])]
    found = transaction.execute(" UNION ".join(parts), marked=Reason.MARKED_AT_SETUP)
    return frozenset(row["subject"] for row in found)


def correct_dates(transaction: Transaction, rows: Iterable[tuple[str, str]], now: datetime) -> None:
    """Set rows that were accepted in the future to now; each is given by its identity and recipient key."""
    transaction.connection.executemany(
        """
        UPDATE delivery
        SET settled_at = ?, planned_at = CASE WHEN planned_at > ? THEN ? ELSE planned_at END
        WHERE instance = ? AND identity = ? AND recipient_key = ? AND state = 'sent'
        """,
        [(stamp(now), stamp(now), stamp(now), transaction.instance, identity, key) for identity, key in rows],
    )
