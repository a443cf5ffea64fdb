"""Skipping: in the ledger's one write transaction, so that a check of the daemon's at the same time loses nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from mastodon_update_check.domain.notices import UpdateNotice
from mastodon_update_check.domain.planning import changes_only
from mastodon_update_check.domain.server_state import ServerState
from mastodon_update_check.domain.skipping import find_skippable, skip, skip_changes, skipped_rows, unskip
from mastodon_update_check.domain.skips import Skip
from mastodon_update_check.ledger.ledger import Ledger


@dataclass(frozen=True, slots=True, kw_only=True)
class SkipReport:
    """What skipping came to."""

    skipped: tuple[UpdateNotice, ...]
    """What was asked for."""
    others: tuple[UpdateNotice, ...]
    """What is older in its branch, and skipped with it."""
    cancelled: int
    """Messages that were waiting and leave it out now."""
    under_way: int
    """Messages about it that are being sent at this moment."""


def skip_releases(ledger: Ledger, instance: str, texts: Sequence[str], now: datetime) -> SkipReport:
    """Pass releases over, all or none of them.

    Raises:
        UsageError: one of them cannot be skipped.
    """
    with ledger.writing() as book:
        before = known = book.knowledge(instance)
        updates = [find_skippable(known, text) for text in texts]
        for update in updates:
            known = skip(known, update, now)
        rows = [*skipped_rows(book.deliveries(instance, (), now), known)]
        book.apply(instance, changes_only(skip_changes(rows), now))
        book.keep_knowledge(instance, known, now)
    return SkipReport(
        skipped=tuple(updates),
        others=_covered_besides(before, known, updates),
        cancelled=len({row.message_id for row in rows if row.is_open}),
        under_way=len({row.message_id for row in rows if row.is_claimed}),
    )


def _covered_besides(
    before: ServerState, after: ServerState, asked: Sequence[UpdateNotice]
) -> tuple[UpdateNotice, ...]:
    return tuple(
        update
        for update in after.pending()
        if update not in asked and after.is_skipped(update) and not before.is_skipped(update)
    )


def unskip_releases(ledger: Ledger, instance: str, texts: Sequence[str], now: datetime) -> tuple[Skip, ...]:
    """Take skips back, all or none of them; the next check plans what is true and wanted.

    Raises:
        UsageError: one of them is not skipped.
    """
    found = []
    with ledger.writing() as book:
        known = book.knowledge(instance)
        for text in texts:
            known, skip_ = unskip(known, text)
            found.append(skip_)
        book.keep_knowledge(instance, known, now)
    return tuple(found)
