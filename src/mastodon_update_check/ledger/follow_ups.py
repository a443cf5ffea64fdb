"""What reminders and words of closure need of the ledger: when something was told, and what was never closed."""

from collections.abc import Iterable
from datetime import datetime

from mastodon_update_check.domain.reasons import Reason
from mastodon_update_check.domain.recipients import FollowUps
from mastodon_update_check.ledger.engine import Connection, Row
from mastodon_update_check.ledger.instants import read_stamp, stamp

_URGENT = "told.identity LIKE 'update/%/urgent'"
"""As in the index `delivery_urgent`, which spares each check a look at all that was ever told."""
_PLAIN = "told.identity LIKE 'update/%/plain' AND told.address = ''"
_UNCLOSED = """
    SELECT DISTINCT told.subject FROM delivery AS told
    WHERE told.instance = :instance AND told.state = 'sent' AND {kind} AND told.reason <> :marked
      AND NOT EXISTS (
        SELECT 1 FROM delivery AS closed
        WHERE closed.instance = told.instance AND closed.identity = told.subject || '/installed'
          AND closed.recipient_key = told.recipient_key AND closed.state = 'sent')
"""


def told_at(row: Row) -> datetime | None:
    """Return when a row of `delivery` was accepted; None before, and for what was marked as told without being sent.

    Nothing is accepted before it is planned: an earlier instant was written by a clock that was wrong.
    """
    if row["state"] != "sent" or row["reason"] == Reason.MARKED_AT_SETUP:
        return None
    return read_stamp(max(row["settled_at"], row["planned_at"]))


def unclosed_subjects(connection: Connection, instance: str, closure: FollowUps) -> frozenset[str]:
    """Return the subjects of updates that somebody was told of, and has not been told to be installed.

    Without `all` these are urgent ones; with it, also others that were told elsewhere than by mail.
    """
    if closure is FollowUps.NONE:
        return frozenset()
    parts = [_UNCLOSED.format(kind=_URGENT), *([_UNCLOSED.format(kind=_PLAIN)] if closure is FollowUps.ALL else [])]
    found = connection.execute(" UNION ".join(parts), {"instance": instance, "marked": str(Reason.MARKED_AT_SETUP)})
    return frozenset(row["subject"] for row in found)


def correct_dates(connection: Connection, instance: str, rows: Iterable[tuple[str, str]], now: datetime) -> None:
    """Let rows that were accepted in the future count from now; given are their identities and recipient keys."""
    connection.executemany(
        """
        UPDATE delivery
        SET settled_at = ?, planned_at = CASE WHEN planned_at > ? THEN ? ELSE planned_at END
        WHERE instance = ? AND identity = ? AND recipient_key = ? AND state = 'sent'
        """,
        [(stamp(now), stamp(now), stamp(now), instance, identity, key) for identity, key in rows],
    )
