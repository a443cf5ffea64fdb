"""The program itself: its settings, recipients, sinks, monitoring, ledger and daemon; nothing is sent."""

import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

from mastodon_update_check.config import Settings, SinkSettings
from mastodon_update_check.config.settings import EMAIL
from mastodon_update_check.domain.recipients import Recipient
from mastodon_update_check.domain.server.state import ServerState
from mastodon_update_check.domain.server.status import is_alive
from mastodon_update_check.domain.staff import DatabaseAnswer
from mastodon_update_check.domain.text import clean
from mastodon_update_check.domain.urls import is_loopback
from mastodon_update_check.errors import CheckError, DeliveryError, PermanentDeliveryError, SettingsError
from mastodon_update_check.host.systemd import Properties, show_unit
from mastodon_update_check.http.proxies import Proxies
from mastodon_update_check.jobs.doctor import Finding, error, ok, warning
from mastodon_update_check.jobs.observe import proxies
from mastodon_update_check.jobs.recipients import find_people
from mastodon_update_check.monitoring.status import StatusReport
from mastodon_update_check.sinks.discovery import load_sink

UNIT = "mastodon-update-check.service"
_PROPERTIES = "LoadState,ActiveState,UnitFileState,Result"
_RECENT = timedelta(hours=2)
"""A more recent check was made by something that checks regularly."""
_LIMIT = timedelta(seconds=30)
_REPLY_SECONDS = 15.0


def probe_people(settings: Settings, known: ServerState) -> Iterator[Finding]:
    """Look for the recipients, then talk to the mail server about one of them."""
    people = find_people(settings, known.devops)
    yield from _describe_database(people.answer)
    mail = [recipient for recipient in people.recipients if recipient.sink == EMAIL]
    if all(sink.plugin != EMAIL for sink in settings.sinks):
        why = "SMTP_SERVER is not set, or UPDATE_CHECK_SINKS leaves email out"
        others = ", ".join(sink.name for sink in settings.sinks if sink.plugin != "log")
        if others:
            yield warning("recipients", f"no one gets mail, only {others} is used: {why}")
        else:
            yield error("recipients", f"no one would be notified, notices go to the log only: {why}")
        return
    if not mail:
        yield error("recipients", "no one would be notified by mail: set UPDATE_CHECK_RECIPIENTS to your address")
    else:
        operators = sum(recipient.is_operator for recipient in mail)
        get = "recipient gets" if len(mail) == 1 else "recipients get"
        sentence = f"{len(mail)} {get} mail, {operators} also about problems with this tool"
        yield ok("recipients", f"{sentence}; `mastodon-update-check recipients` lists them")
    for each in people.warnings:
        yield warning("recipients", each)
    yield from _probe_mail_server(settings, mail)


def _describe_database(answer: DatabaseAnswer) -> Iterator[Finding]:
    if answer.error is not None:
        yield error("database", str(answer.error))
    elif answer.through:
        yield ok("database", f"{len(answer.verdicts)} members of staff, asked through {answer.through}")
    if answer.migrations_problem:
        yield warning("database", f"pending migrations are not noticed: {answer.migrations_problem}")
    if answer.may_write:
        remedy = "`mastodon-update-check setup` makes one that can only read the staff"
        yield warning("database", f"this login may also write: {remedy}")


def _probe_mail_server(settings: Settings, mail: list[Recipient]) -> Iterator[Finding]:
    """Go through the dialogue up to RCPT, for the operator if there is one; nothing is sent."""
    from mastodon_update_check.sinks.email import create
    from mastodon_update_check.sinks.smtp_server import MailLimits

    options = next(sink.options for sink in settings.sinks if sink.plugin == EMAIL)
    chosen = next((recipient for recipient in mail if recipient.is_operator), mail[0] if mail else None)
    if chosen is None:
        yield warning("email", "the mail server was not tried: there is no recipient")
        return
    try:
        sink = create(options, MailLimits(reply=_REPLY_SECONDS, total=_LIMIT))
        yield ok("email", f"{sink.rehearse(chosen.address)}; nothing was sent")
    except SettingsError as failure:
        yield from (error("email", problem) for problem in failure.problems)
    except DeliveryError as failure:
        if failure.sink_wide or isinstance(failure, PermanentDeliveryError):
            yield error("email", f"{failure.reply}: look at the address, and at the SMTP_ settings")
        else:
            yield warning("email", f"{failure.reply}: it may be temporary; `send-test email` tries again")


def probe_sink(sink: SinkSettings) -> Iterator[Finding]:
    """Try one sink that needs no address; nothing is sent."""
    try:
        load_sink(sink.plugin, sink.options)
    except SettingsError as failure:
        yield from (error(sink.name, problem) for problem in failure.problems)
        return
    if sink.plugin == "webhook":
        url = sink.options["url"]
        advice = "look at its URL, and whether the receiver is up"
        yield _reach(sink.name, url, Proxies.of(sink.options), "nothing was posted", advice)
        if urlsplit(url).scheme == "http" and not is_loopback(url):
            yield warning(sink.name, "is sent over http: it can be read on the network; use https in its URL")
        if not sink.options.get("secret"):
            name = "_".join(("UPDATE_CHECK", *sink.name.upper().split("."), "SECRET"))
            yield warning(sink.name, f"is sent unsigned: its receiver cannot tell who sent it; set {name}")
    elif sink.plugin != "log":
        yield ok(sink.name, f"is installed and takes its settings; `send-test {sink.name}` tries it")


def probe_monitoring(settings: Settings) -> Iterator[Finding]:
    """Probe the heartbeat service and the directories of metrics and page."""
    if settings.heartbeat_url is not None:
        advice = "look at UPDATE_CHECK_HEARTBEAT_URL, and whether its service is up"
        yield _reach("heartbeat", settings.heartbeat_url, proxies(settings), "it was not pinged", advice)
    if settings.metrics_file is not None:
        yield _probe_directory("metrics", settings.metrics_file.parent, "UPDATE_CHECK_METRICS_FILE")
    if settings.page_file is not None:
        yield _probe_directory("status page", settings.page_file.parent, "UPDATE_CHECK_PAGE_FILE")


def _reach(subject: str, url: str, by: Proxies, restraint: str, advice: str) -> Finding:
    from mastodon_update_check.http.client import reach

    try:
        return ok(subject, f"{reach(url, by)}; {restraint}")
    except CheckError as failure:
        return error(subject, f"{failure}: {advice}")


def _probe_directory(subject: str, directory: Path, variable: str) -> Finding:
    if directory.is_dir() and os.access(directory, os.W_OK | os.X_OK):
        return ok(subject, f"{directory} can be written")
    remedy = "let the service write there, as docs/INSTALL.md shows; create it if it is missing"
    return error(subject, f"{directory}, from {variable}, is not a directory that can be written: {remedy}")


def probe_settings(settings: Settings) -> Iterator[Finding]:
    """List the settings with their origins, and missing ones."""
    files = [str(path) for path in (settings.config_file, *settings.mastodon_files) if path is not None]
    yield ok("settings", f"read from the environment{''.join(f' and {file}' for file in files)}; --verbose lists them")
    for name in sorted(settings.origins):
        yield ok("settings", f"{name}={settings.shown[name]} ({settings.origins[name]})", is_detail=True)
    for disabled in settings.disabled:
        yield error("settings", str(disabled))
    for sentence in filter(None, (*settings.warnings, settings.update_server_warning)):
        yield warning("settings", sentence)
    if not settings.mastodon_files:
        sentence = "Mastodon's .env.production was not read: give LOCAL_DOMAIN and SMTP_… in our own file"
        yield warning("settings", f"{sentence}, or set UPDATE_CHECK_MASTODON_ENV_FILE")
    if settings.instance_is_assumed:
        yield warning("settings", "LOCAL_DOMAIN is set nowhere: set it, it names the server in every message")
    if any(sink.plugin == EMAIL for sink in settings.sinks) and "SMTP_FROM_ADDRESS" not in settings.origins:
        sentence = "SMTP_FROM_ADDRESS is set nowhere: mails come from notifications@localhost"
        yield warning("settings", f"{sentence}, which many servers refuse")
    own = "Mastodon's own check"
    if settings.mastodon_check_is_off:
        yield ok(own, "is off (UPDATE_CHECK_URL is blank in its file): no mails, no admin page, no banner of its own")
    elif settings.mastodon_files:
        yield ok(own, "is on: its users are mailed by both, and its admin page works")


def describe_ledger(status: StatusReport, *, exists: bool) -> Iterator[Finding]:
    """Describe a ledger that can be read, and what is undelivered."""
    ledger, outbox = status.settings.ledger, status.outbox
    place = "the ledger in PostgreSQL" if "://" in ledger else ledger
    if not exists and status.is_alive:
        restart = "restore a backup, or sudo systemctl restart mastodon-update-check"
        yield error("ledger", f"was deleted while the daemon was running: {restart}")
    else:
        yield ok("ledger", f"{place} {'is sound' if exists else 'is created by the first check'}")
    for sink in outbox.sinks:
        if sink.is_stopped:
            yield warning(sink.name, "its receiver asked never to be called again (HTTP 410): give it another URL")
        elif sink.failing_since is not None and sink.undelivered:
            since = f"{sink.failing_since:%Y-%m-%d %H:%M} UTC"
            yield warning(sink.name, f"has accepted nothing since {since}; its last reply: {sink.reply}")
    if outbox.undelivered:
        messages = f"{outbox.undelivered} message{' is' if outbox.undelivered == 1 else 's are'} not delivered yet"
        yield warning("ledger", f"{messages}: `status` says why, `retry` makes them due at once")


def probe_daemon(status: StatusReport | None, host: str) -> Iterator[Finding]:
    """Examine the unit and the heartbeat; `host` is this machine among those of the ledger."""
    unit = show_unit(UNIT, _PROPERTIES)
    yield from _describe_unit(unit)
    if status is None:
        yield warning("daemon", "may be running or not: its heartbeat is in the ledger, which cannot be read")
    elif status.is_alive:
        yield ok("daemon", "is running")
    elif others := [node.host for node in status.nodes if node.host != host and is_alive(node.alive_at, status.now)]:
        where = clean(", ".join(others))
        yield warning("daemon", f"is not running on this machine, only on {where}: start it here as a standby")
    elif status.known.checked_at is not None and status.now - status.known.checked_at < _RECENT:
        when = f"{status.known.checked_at:%H:%M} UTC"
        yield ok("daemon", f"is not running, but a check was made at {when}: by hand, a timer or cron")
    else:
        is_installed = unit is not None and unit.one("LoadState") != "not-found"
        start = f"sudo systemctl enable --now {UNIT.removesuffix('.service')}" if is_installed else "start it"
        yield error("daemon", f"is not running, so that no notices are sent: {start}, or run `check` from a timer")


def _describe_unit(unit: Properties | None) -> Iterator[Finding]:
    if unit is None:  # not running under systemd
        return
    active = unit.one("ActiveState")
    if unit.one("LoadState") == "not-found":
        yield warning("unit", f"{UNIT} does not exist: install the package, so that the daemon starts with the machine")
    elif active not in {"active", "reloading"}:
        why = f"its state is {active}, its last result {unit.one('Result')}"
        yield error("unit", f"{UNIT} is not running ({why}): see `journalctl -u {UNIT}`, sudo systemctl restart {UNIT}")
    if unit.one("UnitFileState") == "disabled":
        yield warning("unit", f"{UNIT} does not start with the machine: sudo systemctl enable {UNIT}")
