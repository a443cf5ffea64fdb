"""Skip releases, each time in one write transaction of the ledger."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from mastodon_update_check.domain.notices import UpdateNotice
from mastodon_update_check.domain.planning.plan import changes_only
from mastodon_update_check.domain.reasons import Reason
from mastodon_update_check.domain.server.skips import find_skippable, skip, skipped_rows, unskip
from mastodon_update_check.domain.server.state import ServerState, Skip
from mastodon_update_check.ledger.ledger import Ledger


@dataclass(frozen=True, slots=True, kw_only=True)
class SkipReport:
    """The result of skipping."""

    skipped: tuple[UpdateNotice, ...]
    """The releases that were asked for."""
    others: tuple[UpdateNotice, ...]
    """Older releases of the same branch, skipped with them."""
    cancelled: int
    """Number of pending messages without it now."""
    under_way: int
    """Messages about it that are being sent at this moment."""

    def to_json(self) -> dict[str, object]:
        """Return it as the answer to a request holds it."""
        return {
            "skipped": [str(update.version) for update in self.skipped],
            "others": [str(update.version) for update in self.others],
            "urgent": [str(update.version) for update in (*self.skipped, *self.others) if update.urgent],
            "cancelled": self.cancelled,
            "under_way": self.under_way,
        }


def skip_releases(ledger: Ledger, texts: Sequence[str], now: datetime, until_at: datetime | None = None) -> SkipReport:
    """Skip releases, all or none of them; with `until_at` only their reminders and alarms, until then.

    Raises:
        UsageError: one of them cannot be skipped.
    """
    with ledger.writing() as transaction:
        before = known = transaction.state()
        updates = [find_skippable(known, text) for text in texts]
        for update in updates:
            known = skip(known, update, now, until_at)
        rows = [*skipped_rows(transaction.deliveries(()), known, now)]
        transaction.apply(changes_only((row.change(Reason.SKIPPED) for row in rows if row.is_open), now))
        transaction.keep_state(known, now)
    return SkipReport(
        skipped=tuple(updates),
        others=_covered_besides(before, known, updates, now),
        cancelled=len({row.message_id for row in rows if row.is_open}),
        under_way=len({row.message_id for row in rows if row.is_being_sent}),
    )


def _covered_besides(
    before: ServerState, after: ServerState, asked: Sequence[UpdateNotice], now: datetime
) -> tuple[UpdateNotice, ...]:
    return tuple(
        update
        for update in after.pending()
        if update not in asked and after.is_silenced(update, now) and not before.is_silenced(update, now)
    )


def unskip_releases(ledger: Ledger, texts: Sequence[str], now: datetime) -> tuple[Skip, ...]:
    """Undo skips, all or none of them; the next check plans their notices again.

    Raises:
        UsageError: one of them is not skipped.
    """
    found = []
    with ledger.writing() as transaction:
        known = transaction.state()
        for text in texts:
            known, skip_ = unskip(known, text)
            found.append(skip_)
        transaction.keep_state(known, now)
    return tuple(found)
