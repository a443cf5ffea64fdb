"""Diagnosis: what is configured is tried, one probe each; nothing is changed and nothing is sent."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from mastodon_update_check.core.feeds import newer_updates
from mastodon_update_check.core.installed import merge_sightings
from mastodon_update_check.core.knowledge import Knowledge
from mastodon_update_check.errors import CheckError, LedgerError
from mastodon_update_check.jobs.inquiry import Findings, inquire
from mastodon_update_check.jobs.people import MAIL, People
from mastodon_update_check.ledger.ledger import Ledger
from mastodon_update_check.settings import Settings, SinkSettings


class Grade(StrEnum):
    """How a probe came out; an error only for what is configured and does not work."""

    OK = "ok"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What one probe found; the sentence of a warning or an error says what to do."""

    grade: Grade
    subject: str
    sentence: str


def diagnose(settings: Settings, ledger_path: Path, now: datetime) -> tuple[Finding, ...]:
    """Try everything that is configured."""
    known, ledger_findings = _probe_ledger(settings, ledger_path, now)
    findings = inquire(settings, known, now)
    return (
        *_probe_settings(settings),
        *_probe_version(settings, findings, known, now),
        *_probe_update_server(settings, findings),
        *_probe_people(settings, findings.people),
        *_probe_webhooks(settings.sinks),
        *ledger_findings,
        _describe_mastodons_check(settings),
    )


def _ok(subject: str, sentence: str) -> Finding:
    return Finding(grade=Grade.OK, subject=subject, sentence=sentence)


def _warning(subject: str, sentence: str) -> Finding:
    return Finding(grade=Grade.WARNING, subject=subject, sentence=sentence)


def _error(subject: str, sentence: str) -> Finding:
    return Finding(grade=Grade.ERROR, subject=subject, sentence=sentence)


def _probe_settings(settings: Settings) -> Iterable[Finding]:
    files = [str(path) for path in (settings.config_file, settings.mastodon_env_file) if path is not None]
    yield _ok("settings", f"read from the environment{''.join(f' and {file}' for file in files)}")
    if settings.mastodon_env_file is None:
        sentence = "Mastodon's .env.production was not read: give LOCAL_DOMAIN and SMTP_… in our own file"
        yield _warning("settings", f"{sentence}, or set UPDATE_CHECK_MASTODON_ENV_FILE")
    if settings.instance_is_assumed:
        yield _warning("settings", "LOCAL_DOMAIN is set nowhere: set it, it names the server in every message")


def _probe_version(settings: Settings, findings: Findings, known: Knowledge, now: datetime) -> Iterable[Finding]:
    first = "the tree" if settings.mastodon_version is None else "UPDATE_CHECK_MASTODON_VERSION"
    for place, sighting in ((first, findings.tree), ("the running server", findings.running)):
        if sighting.version is not None:
            yield _ok("version", f"{place} says {sighting.version.text}")
        elif sighting.error is not None:
            yield _warning("version", f"{sighting.error}")
    try:
        installed = merge_sightings(findings.tree, findings.running, known, now).installed
    except CheckError:
        yield _error("version", "no place says which version is installed: set UPDATE_CHECK_MASTODON_ROOT or …_VERSION")
    else:
        yield _ok("version", f"{installed and installed.text} counts as installed")


def _probe_update_server(settings: Settings, findings: Findings) -> Iterable[Finding]:
    if settings.off_reason:
        yield _warning("update server", f"checking is off: {settings.off_reason}")
    elif findings.feed is not None and (findings.tree.version or findings.running.version):
        versions = [version for version in (findings.tree.version, findings.running.version) if version is not None]
        newer = newer_updates(findings.feed, min(versions))
        yield _ok("update server", f"answers; it lists {len(newer) or 'nothing'} newer")
        for warning in findings.feed.warnings:
            yield _warning("update server", warning)
    elif findings.error is not None and findings.queried_version is not None:
        yield _error("update server", str(findings.error))


def _probe_people(settings: Settings, people: People) -> Iterable[Finding]:
    answer = people.answer
    if answer.error is not None:
        yield _error("database", str(answer.error))
    elif answer.through:
        yield _ok("database", f"{len(answer.verdicts)} members of staff, asked through {answer.through}")
    if answer.may_write:
        yield _warning(
            "database",
            "this login may also write: packaging/postgresql/install.sql makes one that can only ask who the staff are",
        )
    if all(sink.plugin != MAIL for sink in settings.sinks):
        yield _warning("recipients", "nobody gets mail: SMTP_SERVER is not set, or UPDATE_CHECK_SINKS leaves email out")
        return
    mail = [recipient for recipient in people.recipients if recipient.sink == MAIL]
    if mail:
        yield _ok("recipients", f"{len(mail)} get mail; `mastodon-update-check recipients` lists them")
    for warning in people.warnings:
        yield _warning("recipients", warning)


def _probe_webhooks(sinks: Iterable[SinkSettings]) -> Iterable[Finding]:
    for sink in sinks:
        if sink.plugin == "webhook" and not sink.options.get("secret"):
            yield _warning(sink.name, "is sent unsigned: its receiver cannot tell who sent it; give it a …_SECRET")


def _probe_ledger(settings: Settings, path: Path, now: datetime) -> tuple[Knowledge, tuple[Finding, ...]]:
    """Read the ledger through; what it remembers helps the other probes."""
    if not path.exists():
        return Knowledge(), (_ok("ledger", f"{path} is made by the first check"),)
    try:
        with Ledger.open(path) as ledger:
            known = ledger.knowledge(settings.instance)
            outbox = ledger.summary(settings.instance, now, settings.sink_names)
    except LedgerError as error:
        return Knowledge(), (_error("ledger", str(error)),)
    findings = [_ok("ledger", f"{path} is sound, {path.stat().st_size // 1024} KiB")]
    if outbox.undelivered:
        findings.append(_warning("ledger", f"{outbox.undelivered} messages are not delivered: see `status`"))
    return known, tuple(findings)


def _describe_mastodons_check(settings: Settings) -> Finding:
    if settings.mastodon_check_is_off:
        sentence = "is off (UPDATE_CHECK_URL is blank in its file): no mails, no admin page, no banner of its own"
        return _ok("Mastodon's own check", sentence)
    if settings.mastodon_env_file is None:
        return _ok("Mastodon's own check", "may be on or off: its file was not read")
    return _ok("Mastodon's own check", "is on: its users are mailed by both, and its admin page works")
