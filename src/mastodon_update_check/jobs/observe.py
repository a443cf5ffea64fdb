"""Observe: the questions of one check. A missing answer is a value too."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from mastodon_update_check.config import Settings
from mastodon_update_check.domain.feeds import Feed, describe_staleness, newer_updates, parse_feed
from mastodon_update_check.domain.release_tree import TreeFacts
from mastodon_update_check.domain.server.installed import VersionReading, merge_readings
from mastodon_update_check.domain.server.state import ServerState
from mastodon_update_check.domain.text import words_of
from mastodon_update_check.domain.versions import MastodonVersion
from mastodon_update_check.errors import CheckError
from mastodon_update_check.files import is_missing
from mastodon_update_check.host.programs import Run, run_program
from mastodon_update_check.host.systemd import find_running
from mastodon_update_check.http.proxies import Proxies
from mastodon_update_check.jobs.recipients import People, find_people
from mastodon_update_check.logs import log
from mastodon_update_check.mastodon.tree import pending_migrations, streaming_changed_at, tree_changed_at
from mastodon_update_check.messages.release_parts import order_updates

TOLERANCE = timedelta(seconds=2)
"""Times of files and of services are not taken at the same instant."""
RELEASES_READ = 8
"""Pending releases whose files are fetched: urgent ones, then those of the own branch, then of the nearest branches."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """The findings of one check."""

    tree: VersionReading
    running: VersionReading
    people: People
    installed: MastodonVersion | None = None
    feed: Feed | None = None
    migrations: tuple[str, ...] | None = None
    services: tuple[str, ...] | None = None
    """The migrations and restarts that the last upgrade has left; None: unknown."""
    release_facts: Mapping[str, TreeFacts] | None = None
    """The facts of the releases' trees; None when the update server gave no answer."""
    error: CheckError | None = None
    """Why the check failed: the version, the feed or the mail recipients are not known."""
    warnings: tuple[str, ...] = ()
    settings_problem: str = ""
    """Why newer settings than those in use could not be loaded."""


def inquire(settings: Settings, known: ServerState, now: datetime, people: People | None = None) -> Findings:
    """Ask the database, the tree, the running server and the update server; `people` spares asking the first."""
    people = people or find_people(settings, known.devops)
    tree, running = see_versions(settings)
    basis = Findings(tree=tree, running=running, people=people, warnings=people.warnings, error=people.error)
    unread = tuple(str(reading.error) for reading in (tree, running) if reading.error)
    try:
        installed = merge_readings(tree, running, known, now).installed
    except CheckError as error:
        return replace(basis, error=CheckError(error.cause, "; ".join(unread) or error.detail))
    assert installed is not None  # noqa: S101 - merge_readings has found one
    # A host without a tree, as beside containers, is not a reason for a warning while the running server answers.
    is_elsewhere = "UPDATE_CHECK_MASTODON_ROOT" not in settings.origins and is_missing(settings.mastodon_root)
    has_no_tree = tree.error is not None and running.version is not None and is_elsewhere
    doubts = () if has_no_tree else unread
    basis = replace(
        basis,
        installed=installed,
        warnings=(*basis.warnings, *doubts),
        migrations=pending_migrations(settings.mastodon_root, basis.people.answer.migrations),
        services=outdated_services(settings.mastodon_root),
    )
    if settings.url is None:
        return basis
    from mastodon_update_check.mastodon.update_server import ask_update_server

    try:
        document, headers = ask_update_server(settings.url, installed, proxies(settings))
        feed = parse_feed(document)
        known.refuse_flood(feed, installed, now)
    except CheckError as error:
        return replace(basis, error=error)
    stale = filter(None, [describe_staleness(headers, now)])
    facts = _read_releases(settings, known.release_facts, installed, feed)
    return replace(basis, feed=feed, warnings=(*basis.warnings, *stale, *feed.warnings), release_facts=facts)


def see_versions(settings: Settings) -> tuple[VersionReading, VersionReading]:
    """Read the tree and ask the running server, unless the settings name the version."""
    from mastodon_update_check.mastodon.tree import read_tree_version

    def read(ask: Callable[[], MastodonVersion]) -> VersionReading:
        try:
            return VersionReading(version=ask())
        except CheckError as error:
            return VersionReading(error=error)

    if settings.mastodon_version is not None:
        return VersionReading(version=settings.mastodon_version), VersionReading()
    tree = read(lambda: read_tree_version(settings.mastodon_root, settings.version_environment))
    url = settings.instance_url
    if url is None:
        return tree, VersionReading()
    from mastodon_update_check.mastodon.instance import ask_running_version

    return tree, read(lambda: ask_running_version(url, settings.web_domain, proxies(settings)))


def _read_releases(
    settings: Settings, known: Mapping[str, TreeFacts], installed: MastodonVersion, feed: Feed
) -> Mapping[str, TreeFacts]:
    """Return the facts to keep: those of the installed release and of pending ones; none while details are off."""
    if not settings.release_details:
        return {}
    pending = order_updates(newer_updates(feed, installed), installed.branch)[:RELEASES_READ]
    if not pending:
        return known
    from mastodon_update_check.mastodon.release_details import fetch_releases

    wanted = [installed, *(update.version for update in pending)]
    try:
        facts, problem = fetch_releases(settings.release_details, wanted, known, proxies(settings))
    except Exception as error:  # noqa: BLE001 - details must not fail a check
        log.critical("release_details.crashed", detail=f"{type(error).__name__}: {words_of(error)}")
        return known
    if problem:
        log.warning("release_details.incomplete", detail=problem)
    return facts


def outdated_services(root: Path, run: Run = run_program) -> tuple[str, ...] | None:
    """Return the services of Sidekiq and streaming that were started before their code changed; None: unknown."""
    changed_at, streaming_at = tree_changed_at(root), streaming_changed_at(root)
    if changed_at is None or streaming_at is None:
        return None
    running = find_running(root, run)
    now = datetime.now(UTC)

    def is_outdated(name: str) -> bool:
        return running[name] + TOLERANCE < (streaming_at if "streaming" in name else changed_at) <= now

    return tuple(sorted(filter(is_outdated, running))) if running else None


def proxies(settings: Settings) -> Proxies:
    """Return the proxies that the settings name."""
    return Proxies(https=settings.https_proxy, http=settings.http_proxy, no_proxy=settings.no_proxy)
