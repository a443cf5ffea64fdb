"""Delivery: the recipients in Mastodon's database, and each sink up to the point where something would be sent."""

import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from mastodon_update_check.config import Settings, SinkSettings
from mastodon_update_check.domain.recipients import Recipient
from mastodon_update_check.domain.server.state import ServerState
from mastodon_update_check.domain.staff import DatabaseAnswer
from mastodon_update_check.domain.urls import is_loopback
from mastodon_update_check.errors import CheckError, DeliveryError, PermanentDeliveryError, SettingsError
from mastodon_update_check.http.proxies import Proxies
from mastodon_update_check.jobs.doctor import Finding, error, ok, warning
from mastodon_update_check.jobs.observe import proxies
from mastodon_update_check.jobs.recipients import MAIL, find_people

_LIMIT = timedelta(seconds=30)
_REPLY_SECONDS = 15.0


def probe_people(settings: Settings, known: ServerState) -> Iterator[Finding]:
    """Look for the recipients, then talk to the mail server about one of them."""
    people = find_people(settings, known.devops)
    yield from _describe_database(people.answer)
    mail = [recipient for recipient in people.recipients if recipient.sink == MAIL]
    if all(sink.plugin != MAIL for sink in settings.sinks):
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

    options = next(sink.options for sink in settings.sinks if sink.plugin == MAIL)
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
    from mastodon_update_check.sinks.discovery import load_sink

    try:
        load_sink(sink.plugin, sink.options)
    except SettingsError as failure:
        yield from (error(sink.name, problem) for problem in failure.problems)
        return
    if sink.plugin == "webhook":
        url = sink.options["url"]
        advice = "look at its URL, and whether the receiver is up"
        yield _reach(sink.name, url, Proxies.of(sink.options), "nothing was posted", advice)
        if url.startswith("http:") and not is_loopback(url):
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
    remedy = "create it, and let the service write there, as docs/INSTALL.md shows"
    return error(subject, f"{directory}, from {variable}, is not a directory that can be written: {remedy}")
