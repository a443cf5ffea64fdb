"""Skipping a release and taking that back: the releases that can be skipped, and the messages about them."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TypeVar

from mastodon_update_check.domain.notices import ReminderNotice, UpdateNotice
from mastodon_update_check.domain.outbox import Delivery, DeliveryState
from mastodon_update_check.domain.server.state import ServerState, Skip
from mastodon_update_check.domain.versions import MastodonVersion
from mastodon_update_check.errors import InvalidVersionError, UsageError

_Release = TypeVar("_Release", UpdateNotice, Skip)


def skip(
    known: ServerState, text: str, now: datetime, until_at: datetime | None = None
) -> tuple[ServerState, UpdateNotice]:
    """Skip and return the pending update that `text` names; raise `UsageError` for none, or a past `until_at`."""
    update = _find(text, known.pending(), "pending")
    if until_at is not None and until_at <= now:
        raise UsageError(f"expected a date in the future, got {until_at:%Y-%m-%d}")
    new = Skip(version=update.version, urgent=update.urgent, skipped_at=now, until_at=until_at)
    kept = (old for old in known.skips if old.version != update.version)
    return replace(known, skips=(*kept, new)), update


def unskip(known: ServerState, text: str) -> tuple[ServerState, Skip]:
    """Undo the skip of the release that `text` names, or raise `UsageError`; return the new state and that skip."""
    found = _find(text, known.skips, "skipped")
    return replace(known, skips=tuple(old for old in known.skips if old != found)), found


def _find(text: str, releases: Sequence[_Release], state: str) -> _Release:
    try:
        version = MastodonVersion.parse(text)
    except InvalidVersionError as error:
        raise UsageError(str(error)) from error
    for release in releases:
        if release.version == version:
            return release
    names = ", ".join(str(release.version) for release in releases) or "there is none"
    raise UsageError(f"expected a {state} release ({names}), got {version}")


def skipped_rows(rows: Iterable[Delivery], known: ServerState, now: datetime) -> Iterable[Delivery]:
    """Return the undelivered rows of skipped releases, and reminders that are silenced until a date."""
    for row in rows:
        if row.state not in {DeliveryState.PENDING, DeliveryState.FAILED}:
            continue
        match row.notice:
            case UpdateNotice() if known.is_skipped(row.notice):
                yield row
            case ReminderNotice() if known.is_silenced(row.notice.update, now):
                yield row
