"""Skipping a release and taking that back: the releases that can be skipped, and the messages about them."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from mastodon_update_check.domain.notices import ReminderNotice, UpdateNotice
from mastodon_update_check.domain.outbox import Delivery, DeliveryState
from mastodon_update_check.domain.server.state import ServerState, Skip
from mastodon_update_check.domain.versions import MastodonVersion
from mastodon_update_check.errors import InvalidVersionError, UsageError

_WAITING = (DeliveryState.PENDING, DeliveryState.FAILED)


def find_skippable(known: ServerState, text: str) -> UpdateNotice:
    """Return the pending update that `text` names.

    Raises:
        UsageError: it names none.
    """
    version, pending = _parse(text), known.pending()
    found = next((update for update in pending if update.version == version), None)
    if found is None:
        names = ", ".join(str(update.version) for update in pending) or "none is known"
        raise UsageError(f"expected a pending release ({names}), got {version}")
    return found


def skip(known: ServerState, update: UpdateNotice, now: datetime, until_at: datetime | None = None) -> ServerState:
    """Return the state in which `update` is skipped; an earlier skip of the same release is replaced.

    Raises:
        UsageError: `until_at` has passed.
    """
    if until_at is not None and until_at <= now:
        raise UsageError(f"expected a date in the future, got {until_at:%Y-%m-%d}")
    new = Skip(version=update.version, urgent=update.urgent, skipped_at=now, until_at=until_at)
    kept = (old for old in known.skips if old.version != update.version)
    return replace(known, skips=(*kept, new))


def unskip(known: ServerState, text: str) -> tuple[ServerState, Skip]:
    """Return what is known once a skip is taken back, and that skip.

    Raises:
        UsageError: there is none of that version.
    """
    version = _parse(text)
    found = next((old for old in known.skips if old.version == version), None)
    if found is None:
        names = ", ".join(str(old.version) for old in known.skips) or "there is none"
        raise UsageError(f"expected a skipped release ({names}), got {version}")
    return replace(known, skips=tuple(old for old in known.skips if old != found)), found


def skipped_rows(rows: Iterable[Delivery], known: ServerState, now: datetime) -> Iterable[Delivery]:
    """Return the undelivered rows of skipped releases, and reminders that are silenced until a date."""
    for row in rows:
        if row.state not in _WAITING:
            continue
        match row.notice:
            case UpdateNotice() if known.is_skipped(row.notice):
                yield row
            case ReminderNotice() if known.is_silenced(row.notice.update, now):
                yield row


def _parse(text: str) -> MastodonVersion:
    try:
        return MastodonVersion.parse(text)
    except InvalidVersionError as error:
        raise UsageError(str(error)) from error
