"""Check: observe, decide, commit. Nothing is sent here."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from mastodon_update_check.config import Settings
from mastodon_update_check.domain import notices
from mastodon_update_check.domain.planning.facts import Facts
from mastodon_update_check.domain.planning.plan import Plan, plan, subjects
from mastodon_update_check.domain.server import problems
from mastodon_update_check.domain.server.installed import VersionReading, merge_readings, restart_notice
from mastodon_update_check.domain.server.state import ServerState
from mastodon_update_check.domain.server.status import describe_pending
from mastodon_update_check.domain.staff import DatabaseAnswer
from mastodon_update_check.domain.text import clean, describe_bug
from mastodon_update_check.errors import Cause, CheckError, UpdateCheckError
from mastodon_update_check.jobs.observe import Findings, inquire
from mastodon_update_check.jobs.recipients import find_people
from mastodon_update_check.ledger.ledger import Ledger, LedgerView
from mastodon_update_check.ledger.summary import SinkAccount
from mastodon_update_check.logs import hide_secrets, log

DETAIL_CHARACTERS = 1_000
"""Longest reason of a failure: the ledger keeps it with the notice of each recipient."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResult:
    """The output of `check` that is not in the ledger; stored as JSON where another process has asked."""

    began_at: datetime
    queried_version: str | None
    has_answer: bool
    """Whether the update server has answered."""
    error: str
    """Why the check failed; empty when it did not."""
    off_reason: str
    """Why the update server was not asked; empty when it was."""
    planned: int
    """Number of messages."""
    new: tuple[str, ...]
    """The versions with newly planned notices."""
    marked: int = 0
    """How many messages were marked as sent without being sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckReport:
    """The result of one check, the state after it, and what it has planned."""

    result: CheckResult
    known: ServerState
    plan: Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckOptions:
    """Options of one check."""

    mark: bool = False
    """Mark pending notices as sent, once the update server has answered."""
    dry_run: bool = False
    """Store nothing."""
    settings_problem: str = ""
    """Why the newest settings could not be used, so that former ones are in use; empty when they are."""
    failure: str = ""
    """Why the check before could not be finished: this one asks nothing, and records that failure."""
    warnings: tuple[str, ...] = ()
    """Problems of this program itself, in addition to the findings of the check."""


_PLAIN = CheckOptions()


def check(
    settings: Settings, ledger: Ledger, sinks: Mapping[str, str], now: datetime, options: CheckOptions = _PLAIN
) -> CheckReport:
    """Run one check: observe, decide, commit. The caller owns the ledger; `sinks` has the fingerprint of each.

    Raises `LedgerError` when nothing can be stored.
    """
    began = time.monotonic()
    try:
        report = _run(settings, ledger, sinks, now, options)
    except UpdateCheckError:
        raise
    except Exception as error:  # noqa: BLE001 - a bug is a failed check like any other: it causes a notice when it lasts
        detail = describe_bug(error)
        log.critical("check.crashed", detail=detail)
        report = _run(settings, ledger, sinks, now, replace(options, failure=detail))
    _log_report(report, {"took": round(time.monotonic() - began, 3), **({"dry_run": True} if options.dry_run else {})})
    return report


def _run(
    settings: Settings, ledger: Ledger, sinks: Mapping[str, str], now: datetime, options: CheckOptions
) -> CheckReport:
    findings = _observe(settings, ledger.state(), now, options)
    if options.dry_run:
        with ledger.reading() as view:
            return _decide(settings, findings, sinks, now, view)
    with ledger.writing() as transaction:
        transaction.lift_stops(findings.people.recipients)
        report = _decide(settings, findings, sinks, now, transaction)
        transaction.apply(report.plan)
        transaction.keep_state(report.known, now)
        if options.mark and report.result.has_answer:
            report = replace(report, result=replace(report.result, marked=transaction.mark_notified(now)))
    return report


def _observe(settings: Settings, known: ServerState, now: datetime, options: CheckOptions) -> Findings:
    if options.failure:
        error: CheckError | None = CheckError(Cause.INTERNAL, options.failure)
        people = find_people(settings, known.devops, DatabaseAnswer(error=error))  # those of the last good answer
        findings = Findings(tree=VersionReading(), running=VersionReading(), people=people, error=error)
    else:
        findings = inquire(settings, known, now)
    problem = clean(options.settings_problem or "; ".join(map(str, settings.disabled)), DETAIL_CHARACTERS)
    error = findings.error
    # Notices, ledger and page repeat these texts: whatever a neighbour has answered, no secret goes further.
    return replace(
        findings,
        error=error and CheckError(error.cause, clean(hide_secrets(error.detail), DETAIL_CHARACTERS)),
        warnings=tuple(map(hide_secrets, (*options.warnings, *findings.warnings))),
        settings_problem=hide_secrets(problem),
    )


def _decide(
    settings: Settings, findings: Findings, sinks: Mapping[str, str], now: datetime, view: LedgerView
) -> CheckReport:
    """Turn findings into the new state and a plan."""
    learned = learn(view.state(), findings, now)
    lifted = learned.lifted()  # recipients are notified of releases that have turned urgent
    for skip in lifted:
        log.warning("skip.lifted", version=str(skip.version), detail="it has turned urgent")
    learned = replace(learned, skips=tuple(skip for skip in learned.skips if skip not in lifted))
    accounts = view.summary(now, sinks).sinks
    facts = Facts(
        instance=settings.instance,
        now=now,
        known=learned,
        installed=learned.installed if findings.installed is not None else None,
        feed=findings.feed,
        recipients=findings.people.recipients,
        unasked_sinks=findings.people.unasked_sinks,
        sinks=sinks,
        tool_notices=_tool_notices(learned, accounts, sinks, findings.settings_problem, now),
        reminders=settings.reminders,
        closure=settings.closure,
    )
    planned = plan(facts, view.deliveries(subjects(facts) | view.unclosed_subjects(facts.closure)))
    found = {one.notice for message in planned.messages for one in message.decisions}
    result = CheckResult(
        began_at=now,
        queried_version=findings.installed.asked if findings.installed and settings.url else None,
        has_answer=findings.feed is not None,
        error=str(findings.error or ""),
        off_reason=settings.off_reason,
        planned=len(planned.messages),
        new=tuple(sorted(str(one.version) for one in found if isinstance(one, notices.UpdateNotice))),
    )
    return CheckReport(result=result, known=learned, plan=planned)


def learn(known: ServerState, findings: Findings, now: datetime) -> ServerState:
    """Return the state after these findings; facts that could not be observed stay as they were."""
    facts = known.release_facts if findings.release_facts is None else findings.release_facts
    known = replace(
        known,
        settings_wrong_since=(known.settings_wrong_since or now) if findings.settings_problem else None,
        postgresql=findings.people.answer.server_version or known.postgresql,
        devops=findings.people.answer.devops or known.devops,
        release_facts=facts,
    )
    if findings.installed is not None:
        known = merge_readings(findings.tree, findings.running, known, now)
    tree = findings.tree.version
    known = replace(
        known,
        migrations=problems.observe(known.migrations, notices.MigrationsPendingNotice, findings.migrations, tree, now),
        services=problems.observe(known.services, notices.ServicesOutdatedNotice, findings.services, tree, now),
    )
    if findings.error is not None:
        if known.installed is not None:
            known = known.answered(known.installed, findings.feed)
        return known.failed(now, findings.error.cause, findings.error.detail, known.installed)
    assert known.installed is not None  # noqa: S101 - a check without a version has an error
    problem = (findings.settings_problem,) if findings.settings_problem else ()
    return known.succeeded(now, known.installed, findings.feed, (*problem, *findings.warnings))


def _tool_notices(
    known: ServerState,
    accounts: Sequence[SinkAccount],
    sink_settings: Mapping[str, str],
    settings_problem: str,
    now: datetime,
) -> tuple[notices.ToolNotice, ...]:
    """Return the notices about this tool and the installation.

    A sink fails while it has undelivered messages and the settings that failed; a stopped one (HTTP 410) fails
    with any settings.
    """
    failing = (
        problems.delivery_failing_notice(account.name, account.failing_since, account.reply, now)
        for account in accounts
        if account.undelivered and (account.is_stopped or sink_settings.get(account.name) == account.settings)
    )
    cause = Cause(known.cause) if known.cause else Cause.INTERNAL
    found = (
        problems.check_failing_notice(known.failing_since, known.failures, cause, known.detail, now),
        problems.check_recovered_notice(known.outage_started_at, known.outage_ended_at, now)
        if not known.failures
        else None,
        restart_notice(known, now),
        *problems.unfinished_notices((known.migrations, known.services), now),
        *failing,
        problems.check_failing_notice(
            known.settings_wrong_since, problems.FEWEST_FAILURES, Cause.SETTINGS, settings_problem, now
        ),
    )
    return tuple(notice for notice in found if notice is not None)


def _log_report(report: CheckReport, details: Mapping[str, object]) -> None:
    """Log one full line per check, and one for each warning."""
    known, result = report.known, report.result
    for warning in known.warnings:
        log.warning("check.degraded", detail=warning)
    line: dict[str, object] = {
        "installed": known.installed.text if known.installed else None,
        "pending": [*describe_pending(known)],
        "planned": result.planned,
        "cancelled": len(report.plan.changes),
        **details,
    }
    if result.error:
        since = known.failing_since.isoformat(timespec="seconds") if known.failing_since else None
        log.error("check.failed", cause=known.cause, detail=result.error, failing_since=since, **line)
    elif result.off_reason:
        log.info("check.skipped", reason=result.off_reason, **line)
    else:
        log.info("check.finished", asked=result.queried_version, **line)
