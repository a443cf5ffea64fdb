"""Check: gather the facts, plan, store the plan. Nothing is sent here."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

import structlog

from mastodon_update_check.core.facts import Facts
from mastodon_update_check.core.feeds import Feed, parse_feed
from mastodon_update_check.core.installed import Sighting, merge_sightings, sighting_warnings
from mastodon_update_check.core.knowledge import Knowledge
from mastodon_update_check.core.planning import Plan, plan, subjects
from mastodon_update_check.errors import CheckError
from mastodon_update_check.jobs.people import People, find_people
from mastodon_update_check.ledger.ledger import Book, Ledger
from mastodon_update_check.net import Proxies
from mastodon_update_check.settings import Settings

WARNINGS_SHOWN = 20

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What one check found out by asking around."""

    tree: Sighting
    running: Sighting
    installed_known: bool
    queried_version: str | None = None
    feed: Feed | None = None
    error: CheckError | None = None
    people: People
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckReport:
    """What one check came to."""

    knowledge: Knowledge
    plan: Plan
    queried_version: str | None
    error: CheckError | None
    off_reason: str
    """Why nothing was asked; empty when it was."""


def check(
    settings: Settings, ledger: Ledger | None, sink_settings: Mapping[str, str], now: datetime, *, dry_run: bool = False
) -> CheckReport:
    """Run one check.

    Args:
        settings: what to ask, and for whom.
        ledger: what is known and told already; None for a dry run without one.
        sink_settings: fingerprint of each configured sink's settings.
        now: the instant of the check.
        dry_run: plan, but store nothing.

    Raises:
        LedgerError: the ledger cannot be used.
    """
    began = time.monotonic()
    findings = _gather(settings, Knowledge() if ledger is None else ledger.knowledge(settings.instance), now)
    if ledger is None:
        report = _decide(settings, findings, Knowledge(), sink_settings, now, None)
    elif dry_run:
        report = _decide(settings, findings, ledger.knowledge(settings.instance), sink_settings, now, ledger)
    else:
        with ledger.writing() as book:
            report = _decide(settings, findings, book.knowledge(settings.instance), sink_settings, now, book)
            book.apply(settings.instance, report.plan)
            book.keep_knowledge(settings.instance, report.knowledge, now)
    _log_report(report, time.monotonic() - began, dry_run=dry_run)
    return report


def _gather(settings: Settings, known: Knowledge, now: datetime) -> Findings:
    """Ask the tree, the running server and the update server."""
    people = find_people(settings)
    tree, running = _see_versions(settings)
    basis = Findings(tree=tree, running=running, installed_known=False, people=people, warnings=people.warnings)
    try:
        installed = merge_sightings(tree, running, known, now).installed
    except CheckError as error:
        sentences = sighting_warnings(tree, running) or (error.detail,)
        return replace(basis, error=CheckError(error.cause, "; ".join(sentences)))
    assert installed is not None  # noqa: S101 - merge_sightings has found one
    basis = replace(basis, installed_known=True, warnings=(*basis.warnings, *sighting_warnings(tree, running)))
    if settings.url is None:
        return basis
    from mastodon_update_check.feed import ask_update_server

    basis = replace(basis, queried_version=installed.asked)
    try:
        feed = parse_feed(ask_update_server(settings.url, installed, proxies(settings)))
    except CheckError as error:
        return replace(basis, error=error)
    return replace(basis, feed=feed, warnings=(*basis.warnings, *feed.warnings[:WARNINGS_SHOWN]))


def _see_versions(settings: Settings) -> tuple[Sighting, Sighting]:
    """Look at the tree and ask the running server, unless the settings name the version."""
    if settings.mastodon_version is not None:
        return Sighting(version=settings.mastodon_version), Sighting()
    return _see_tree(settings), _see_running(settings)


def _see_tree(settings: Settings) -> Sighting:
    from mastodon_update_check.mastodon.tree import read_tree_version

    try:
        return Sighting(version=read_tree_version(settings.mastodon_root, settings.version_environment))
    except CheckError as error:
        return Sighting(error=error)


def _see_running(settings: Settings) -> Sighting:
    if settings.instance_url is None:
        return Sighting()
    from mastodon_update_check.mastodon.instance import ask_running_version

    try:
        return Sighting(version=ask_running_version(settings.instance_url, settings.web_domain, proxies(settings)))
    except CheckError as error:
        return Sighting(error=error)


def proxies(settings: Settings) -> Proxies:
    """Return the proxies that the settings name."""
    https, http = settings.https_proxy, settings.http_proxy
    return Proxies(
        https=https.get_secret_value() if https else None,
        http=http.get_secret_value() if http else None,
        no_proxy=settings.no_proxy,
    )


def _decide(
    settings: Settings,
    findings: Findings,
    known: Knowledge,
    sink_settings: Mapping[str, str],
    now: datetime,
    book: Book | Ledger | None,
) -> CheckReport:
    """Turn what was found into what is known and into a plan."""
    learned = _learn(known, findings, now)
    facts = Facts(
        instance=settings.instance,
        now=now,
        installed=learned.installed if findings.installed_known else None,
        feed=findings.feed,
        recipients=findings.people.recipients,
        unasked_sinks=findings.people.unasked_sinks,
        sink_settings=sink_settings,
    )
    deliveries = () if book is None else book.deliveries(settings.instance, subjects(facts), now)
    return CheckReport(
        knowledge=learned,
        plan=plan(facts, deliveries),
        queried_version=findings.queried_version,
        error=findings.error,
        off_reason=settings.off_reason,
    )


def _learn(known: Knowledge, findings: Findings, now: datetime) -> Knowledge:
    if findings.installed_known:
        known = merge_sightings(findings.tree, findings.running, known, now)
    if findings.error is not None:
        return known.failed(now, findings.error.cause, findings.error.detail, known.installed)
    assert known.installed is not None  # noqa: S101 - a check without a version has an error
    return known.succeeded(now, known.installed, findings.feed, findings.warnings)


def _log_report(report: CheckReport, seconds: float, *, dry_run: bool) -> None:
    """One full line per check, and one for each warning."""
    for warning in report.knowledge.warnings:
        log.warning("check.degraded", detail=warning)
    known = report.knowledge
    line: dict[str, object] = {
        "installed": known.installed.text if known.installed else None,
        "pending": [f"{update.version}{' (urgent)' if update.urgent else ''}" for update in known.pending()],
        "planned": len(report.plan.messages),
        "cancelled": len(report.plan.changes),
        "took": round(seconds, 3),
    }
    if dry_run:
        line["dry_run"] = True
    if report.error is not None:
        since = known.failing_since.isoformat(timespec="seconds") if known.failing_since else None
        log.error(
            "check.failed", cause=str(report.error.cause), detail=report.error.detail, failing_since=since, **line
        )
    elif report.off_reason:
        log.info("check.skipped", reason=report.off_reason, **line)
    else:
        log.info("check.finished", asked=report.queried_version, **line)
