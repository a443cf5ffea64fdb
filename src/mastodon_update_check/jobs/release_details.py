"""Release details in a check: fetch what is missing, and compare each pending release with the installed one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from mastodon_update_check.config import Settings
from mastodon_update_check.domain.feeds import Feed, newer_updates
from mastodon_update_check.domain.notices import UpdateNotice
from mastodon_update_check.domain.release_details import ReleaseDetails, compare
from mastodon_update_check.domain.release_tree import TreeFacts
from mastodon_update_check.domain.server.state import ServerState
from mastodon_update_check.domain.text import words_of
from mastodon_update_check.domain.versions import MastodonVersion
from mastodon_update_check.http.proxies import Proxies
from mastodon_update_check.logs import log

RELEASES_READ = 8
"""Pending releases whose files are fetched, the most important ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseReadings:
    """Release details as of one check."""

    details: tuple[ReleaseDetails, ...] = ()
    facts: Mapping[str, TreeFacts] = field(default_factory=dict)
    """The facts to keep: those of the installed release and of the pending ones."""


def read_releases(
    settings: Settings,
    facts: Mapping[str, TreeFacts],
    installed: MastodonVersion,
    feed: Feed,
    postgresql: str,
    proxies: Proxies,
) -> ReleaseReadings:
    """Return the details of the pending releases; none while release details are off.

    Args:
        settings: the settings.
        facts: the facts of earlier checks.
        installed: the installed version.
        feed: the answer of the update server.
        postgresql: version of the database server; empty when it is unknown.
        proxies: the proxies to use.
    """
    if not settings.release_details:
        return ReleaseReadings()
    pending = _choose(newer_updates(feed, installed), installed)
    if not pending:
        return ReleaseReadings(facts=facts)
    try:
        return _read(settings.release_details, facts, installed, pending, postgresql, proxies)
    except Exception as error:  # noqa: BLE001 - details must not fail a check
        log.critical("release_details.crashed", detail=f"{type(error).__name__}: {words_of(error)}")
        return ReleaseReadings(facts=facts)


def _read(
    template: str,
    facts: Mapping[str, TreeFacts],
    installed: MastodonVersion,
    pending: Sequence[UpdateNotice],
    postgresql: str,
    proxies: Proxies,
) -> ReleaseReadings:
    from mastodon_update_check.mastodon.release_details import fetch_releases, name_tag

    versions = [installed, *(update.version for update in pending)]
    fetched = fetch_releases(template, versions, facts, proxies)
    if fetched.problem:
        log.warning("release_details.incomplete", detail=fetched.problem)
    trees = {version: fetched.facts[name_tag(template, version)] for version in versions}
    return ReleaseReadings(
        facts=fetched.facts,
        details=tuple(
            compare(trees[update.version], update.version, trees[installed], installed, postgresql)
            for update in pending
        ),
    )


def compare_known(
    template: str, known: ServerState, version: MastodonVersion, before: MastodonVersion
) -> ReleaseDetails | None:
    """Compare two releases by the facts that are known; None when nothing is known of one of them."""
    if not template:
        return None
    from mastodon_update_check.mastodon.release_details import name_tag

    offered, own = (known.release_facts.get(name_tag(template, one)) for one in (version, before))
    return compare(offered, version, own, before, known.postgresql) if offered and own else None


def _choose(pending: Sequence[UpdateNotice], installed: MastodonVersion) -> list[UpdateNotice]:
    """Return the releases to read: urgent ones first, then the own branch, then the newest."""
    order = sorted(
        pending, key=lambda one: (one.urgent, one.version.branch == installed.branch, one.version), reverse=True
    )
    return order[:RELEASES_READ]
