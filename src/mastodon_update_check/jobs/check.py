"""Check: gather the facts, plan, store the plan. Nothing is sent here."""

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from mastodon_update_check.config import Settings
from mastodon_update_check.domain.facts import Facts
from mastodon_update_check.domain.finished import migrations_notice, services_notice
from mastodon_update_check.domain.installed import merge_sightings, restart_notice
from mastodon_update_check.domain.notices import ToolNotice
from mastodon_update_check.domain.outages import (
    FEWEST_FAILURES,
    check_failing_notice,
    check_recovered_notice,
    delivery_failing_notice,
)
from mastodon_update_check.domain.outbox import LEASE
from mastodon_update_check.domain.planning import Plan, plan, subjects
from mastodon_update_check.domain.server_state import ServerState
from mastodon_update_check.domain.status import describe_pending, urgent_to_act_on
from mastodon_update_check.errors import Cause, CheckError, TurnLostError
from mastodon_update_check.jobs.clock import Clock
from mastodon_update_check.jobs.observe import Findings, inquire
from mastodon_update_check.ledger.book import Book
from mastodon_update_check.ledger.ledger import Ledger
from mastodon_update_check.ledger.nodes import Turn
from mastodon_update_check.ledger.summary import SinkAccount
from mastodon_update_check.logs import log

if TYPE_CHECKING:
    from mastodon_update_check.domain.outbox import Delivery


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckReport:
    """What one check came to."""

    knowledge: ServerState
    plan: Plan
    queried_version: str | None
    has_answer: bool
    """Whether the update server has answered."""
    error: CheckError | None
    off_reason: str
    """Why nothing was asked; empty when it was."""
    marked: int = 0
    """How many messages were marked as told instead of being sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnTroubles:
    """What is amiss with this program itself, to be told with what a check finds."""

    settings: str = ""
    """Why newer settings than those in use could not be taken; empty when there are none."""
    others: tuple[str, ...] = ()


_NO_TROUBLES = OwnTroubles()


def check(  # noqa: PLR0913 - what to do with the plan is said by name
    settings: Settings,
    ledger: Ledger | None,
    sink_settings: Mapping[str, str],
    clock: Clock,
    *,
    dry_run: bool = False,
    mark: bool = False,
    own: OwnTroubles = _NO_TROUBLES,
    turn: Turn | None = None,
) -> CheckReport:
    """Run one check.

    Args:
        settings: what to ask, and for whom.
        ledger: what is known and told already; None for a dry run without one.
        sink_settings: fingerprint of each configured sink's settings.
        clock: tells the instant of the check, and the one when its questions have been answered.
        dry_run: plan, but store nothing.
        mark: once the update server has answered, mark all that waits as told.
        own: what is amiss with this program itself.
        turn: this node's right to check; None for a check that was asked for.

    Raises:
        TurnLostError: another node has the turn now; nothing is stored.
        LedgerError: the ledger cannot be used.
    """
    began, now = time.monotonic(), clock()
    findings = inquire(settings, ServerState() if ledger is None else ledger.knowledge(settings.instance), now)
    problem = own.settings or "; ".join(map(str, settings.disabled))
    findings = replace(findings, settings_trouble=problem, warnings=(*own.others, *findings.warnings))
    # The questions may have taken longer than a lease: who holds a message is judged by the time after them.
    asked_at = clock()
    if ledger is None or dry_run:
        report = _decide(settings, findings, sink_settings, now, asked_at, ledger)
    else:
        with ledger.writing() as book:
            if turn is not None and not book.keep_turn(turn, asked_at + LEASE):
                raise TurnLostError("another node has taken this check over, which took too long here")
            book.lift_stops(settings.instance, findings.people.recipients)
            report = _decide(settings, findings, sink_settings, now, asked_at, book)
            book.apply(settings.instance, report.plan)
            book.keep_knowledge(settings.instance, report.knowledge, now)
            if mark and report.has_answer:
                report = replace(report, marked=book.mark_told(settings.instance, asked_at))
    _log_report(report, time.monotonic() - began, dry_run=dry_run)
    return report


def _decide(
    settings: Settings,
    findings: Findings,
    sink_settings: Mapping[str, str],
    now: datetime,
    asked_at: datetime,
    book: Book | Ledger | None,
) -> CheckReport:
    """Turn what was found into what is known and into a plan."""
    known = ServerState() if book is None else book.knowledge(settings.instance)
    learned = _lift_skips(learn(known, findings, now))
    accounts = () if book is None else book.summary(settings.instance, now, sink_settings).sinks
    facts = Facts(
        instance=settings.instance,
        now=now,
        installed=learned.installed if findings.is_installed_known else None,
        feed=findings.feed,
        recipients=findings.people.recipients,
        unasked_sinks=findings.people.unasked_sinks,
        sink_settings=sink_settings,
        tool_notices=(
            *_tool_notices(learned, accounts, sink_settings, now),
            *_settings_notice(learned, findings.settings_trouble, now),
        ),
        skips=learned.skips,
        reminders=settings.reminders,
        closure=settings.closure,
        to_act_on=frozenset(update.version for update in urgent_to_act_on(learned, now)),
    )
    deliveries = () if book is None else _read_deliveries(book, facts, asked_at)
    return CheckReport(
        knowledge=learned,
        plan=plan(facts, deliveries),
        queried_version=findings.queried_version,
        has_answer=findings.feed is not None,
        error=findings.error,
        off_reason=settings.off_reason,
    )


def _read_deliveries(book: Book | Ledger, facts: Facts, asked_at: datetime) -> "tuple[Delivery, ...]":
    about = subjects(facts) | book.unclosed_subjects(facts.instance, facts.closure)
    return book.deliveries(facts.instance, about, asked_at)


def learn(known: ServerState, findings: Findings, now: datetime) -> ServerState:
    """Return what is known after these findings; what could not be asked stands as it was."""
    wrong_since = (known.settings_wrong_since or now) if findings.settings_trouble else None
    known = replace(known, settings_wrong_since=wrong_since)
    if findings.people.answer.devops:
        known = replace(known, devops=findings.people.answer.devops)
    if findings.is_installed_known:
        known = merge_sightings(findings.tree, findings.running, known, now)
    if findings.releases is not None:
        known = replace(known, details=findings.releases.details, release_facts=findings.releases.facts)
    if findings.error is not None:
        if known.installed is not None:
            known = known.answered(known.installed, findings.feed)
        return known.failed(now, findings.error.cause, findings.error.detail, known.installed)
    assert known.installed is not None  # noqa: S101 - a check without a version has an error
    trouble = (findings.settings_trouble,) if findings.settings_trouble else ()
    return known.succeeded(now, known.installed, findings.feed, (*trouble, *findings.warnings))


def _lift_skips(known: ServerState) -> ServerState:
    """Forget the skips whose release has turned urgent: it is told after all."""
    lifted = known.lifted()
    for skip in lifted:
        log.warning("skip.lifted", version=str(skip.version), detail="it has turned urgent")
    return replace(known, skips=tuple(skip for skip in known.skips if skip not in lifted)) if lifted else known


def _settings_notice(known: ServerState, trouble: str, now: datetime) -> Iterable[ToolNotice]:
    """Return the notice that the daemon has been using old settings for long."""
    notice = check_failing_notice(known.settings_wrong_since, FEWEST_FAILURES, Cause.SETTINGS, trouble, now)
    if notice is not None:
        yield notice


def _tool_notices(
    known: ServerState, accounts: Sequence[SinkAccount], sink_settings: Mapping[str, str], now: datetime
) -> tuple[ToolNotice, ...]:
    """Return what is to be said of this tool and its surroundings.

    A sink fails for as long as something waits for it, and its settings are those that failed; one that was stopped
    for good is not tried with others.
    """
    failing = (
        delivery_failing_notice(account.name, account.failing_since, account.reply, now)
        for account in accounts
        if account.undelivered and (account.is_stopped or sink_settings.get(account.name) == account.settings)
    )
    cause = Cause(known.cause) if known.cause else Cause.INTERNAL
    found = (
        check_failing_notice(known.failing_since, known.failures, cause, known.detail, now),
        check_recovered_notice(known.outage_started_at, known.outage_ended_at, now) if not known.failures else None,
        restart_notice(known, now),
        migrations_notice(known.migrations, now),
        services_notice(known.services, now),
        *failing,
    )
    return tuple(notice for notice in found if notice is not None)


def _log_report(report: CheckReport, seconds: float, *, dry_run: bool) -> None:
    """One full line per check, and one for each warning."""
    for warning in report.knowledge.warnings:
        log.warning("check.degraded", detail=warning)
    known = report.knowledge
    line: dict[str, object] = {
        "installed": known.installed.text if known.installed else None,
        "pending": [*describe_pending(known)],
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
