"""Release details in a check: read the trees of the installed release and of the pending ones."""

from collections.abc import Mapping, Sequence

from mastodon_update_check.config import Settings
from mastodon_update_check.domain.feeds import Feed, newer_updates
from mastodon_update_check.domain.notices import UpdateNotice
from mastodon_update_check.domain.release_tree import TreeFacts
from mastodon_update_check.domain.text import words_of
from mastodon_update_check.domain.versions import MastodonVersion
from mastodon_update_check.http.proxies import Proxies
from mastodon_update_check.logs import log

RELEASES_READ = 8
"""Pending releases whose files are fetched, the most important ones."""


def read_releases(
    settings: Settings, known: Mapping[str, TreeFacts], installed: MastodonVersion, feed: Feed, proxies: Proxies
) -> Mapping[str, TreeFacts]:
    """Return the facts to keep: those of the installed release and of pending ones; none while details are off."""
    if not settings.release_details:
        return {}
    pending = _choose(newer_updates(feed, installed), installed)
    if not pending:
        return known
    from mastodon_update_check.mastodon.release_details import fetch_releases

    try:
        fetched = fetch_releases(
            settings.release_details, [installed, *(update.version for update in pending)], known, proxies
        )
    except Exception as error:  # noqa: BLE001 - details must not fail a check
        log.critical("release_details.crashed", detail=f"{type(error).__name__}: {words_of(error)}")
        return known
    if fetched.problem:
        log.warning("release_details.incomplete", detail=fetched.problem)
    return fetched.facts


def _choose(pending: Sequence[UpdateNotice], installed: MastodonVersion) -> list[UpdateNotice]:
    """Return the releases to read: urgent ones first, then the own branch, then the newest."""
    order = sorted(
        pending, key=lambda one: (one.urgent, one.version.branch == installed.branch, one.version), reverse=True
    )
    return order[:RELEASES_READ]
