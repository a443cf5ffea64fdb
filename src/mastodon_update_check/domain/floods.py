"""Floods: an answer with more new releases than Mastodon publishes is not an answer."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from mastodon_update_check.domain.feeds import Feed, newer_updates
from mastodon_update_check.domain.notices import UpdateNotice
from mastodon_update_check.domain.versions import MastodonVersion
from mastodon_update_check.errors import Cause, CheckError

NEW_IN_ONE_ANSWER = 20
NEW_IN_A_DAY = 60
MOST_SEEN = 2_000
"""How many are remembered."""
_DAY = timedelta(days=1)

SeenVersions = tuple[tuple[datetime, str], ...]
"""When each release was first listed, and its canonical name."""


def refuse_flood(
    seen: SeenVersions, updates: Iterable[UpdateNotice], feed: Feed, installed: MastodonVersion, now: datetime
) -> None:
    """Refuse an answer that lists too many releases which were never listed before.

    Args:
        seen: the releases seen so far.
        updates: the updates of the last good answer.
        feed: the answer.
        installed: the installed version; older releases do not count.
        now: the present instant.

    Raises:
        CheckError: more than 20 are new, or more than 60 within a day.
    """
    new = _new_names(seen, updates, feed, installed)
    today = sum(abs(now - at) < _DAY for at, _ in seen)
    if len(new) > NEW_IN_ONE_ANSWER or (new and len(new) + today > NEW_IN_A_DAY):
        raise CheckError(
            Cause.CONTENT,
            f"the update server lists {len(new)} releases that it never listed before, and {today} within a day before "
            f"them: expected at most {NEW_IN_ONE_ANSWER} at once and {NEW_IN_A_DAY} a day; check UPDATE_CHECK_URL",
        )


def remember_seen(
    seen: SeenVersions, updates: Iterable[UpdateNotice], feed: Feed, installed: MastodonVersion, now: datetime
) -> SeenVersions:
    """Return the releases seen, with those of a good answer, and without those that are installed or older."""
    new = _new_names(seen, updates, feed, installed)
    kept = [(at, name) for at, name in seen if MastodonVersion.parse(name) > installed]
    return (*kept, *((now, name) for name in new))[-MOST_SEEN:]


def _new_names(
    seen: SeenVersions, updates: Iterable[UpdateNotice], feed: Feed, installed: MastodonVersion
) -> list[str]:
    known = {name for _, name in seen} | {update.version.name for update in updates}
    return [update.version.name for update in newer_updates(feed, installed) if update.version.name not in known]
