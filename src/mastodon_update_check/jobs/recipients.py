"""The recipients of each sink: from the settings, and from Mastodon's database where it is needed."""

import os
import pwd
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from mastodon_update_check.config import Settings, SinkSettings
from mastodon_update_check.config.settings import EMAIL, RECIPIENTS
from mastodon_update_check.domain.addresses import normalise_address
from mastodon_update_check.domain.recipients import Preference, Recipient, address_key, url_key
from mastodon_update_check.domain.staff import DatabaseAnswer
from mastodon_update_check.errors import Cause, CheckError

if TYPE_CHECKING:
    from mastodon_update_check.mastodon.database_address import DatabaseAddress


@dataclass(frozen=True, slots=True, kw_only=True)
class People:
    """All recipients, and the sinks whose recipients are not known."""

    recipients: tuple[Recipient, ...] = ()
    answer: DatabaseAnswer = field(default_factory=DatabaseAnswer)
    unasked_sinks: frozenset[str] = frozenset()
    warnings: tuple[str, ...] = ()
    error: CheckError | None = None
    """Why the mail recipients are not known at all; those of the other sinks are."""


def find_people(settings: Settings, remembered: tuple[Recipient, ...], answer: DatabaseAnswer | None = None) -> People:
    """Return the recipients of every configured sink; without an `answer` the database is asked if a sink needs it.

    The DevOps users of the last good answer, `remembered`, are for when it cannot be asked.
    """
    if answer is None:
        names = any(sink.options.get("names") == "true" for sink in settings.sinks if sink.plugin == "webhook")
        is_needed = names or (settings.recipients.devops and _has_mail(settings))
        answer = ask_database(settings) if is_needed else DatabaseAnswer()
    if answer.through and not answer.verdicts and remembered:
        # An upgrade from 3.5 to 4.0 gives users their roles at its end.
        found = f"{answer.through} returned no member of staff, and {len(remembered)} DevOps users the last time"
        error = CheckError(Cause.DATABASE, f"{found}: does an upgrade wait for its post-deployment migrations?")
        answer = replace(answer, error=error)
    uses_remembered = settings.recipients.devops and answer.error is not None
    mail = _mail_recipients(settings, remembered if uses_remembered else answer.devops)
    recipients: list[Recipient] = []
    for sink in settings.sinks:
        only = _recipient(sink.name, find_single_key(sink), sink.preference)
        recipients.extend(mail if sink.plugin == EMAIL else (only,))
    mails_devops = settings.recipients.devops and _has_mail(settings)
    return People(
        recipients=tuple(recipients),
        answer=answer,
        unasked_sinks=frozenset({EMAIL}) if mails_devops and not answer.devops else frozenset(),
        warnings=(*answer.warnings, *_list_warnings(settings, answer, remembered)),
        error=answer.error if mails_devops and not remembered else None,
    )


def _list_warnings(settings: Settings, answer: DatabaseAnswer, remembered: Sequence[Recipient]) -> Iterator[str]:
    """Give the warnings about the recipients; an unreadable file of settings, so that no mail is sent, is one."""
    if settings.recipients.devops and _has_mail(settings):
        if answer.error is not None and remembered:
            yield f"{answer.error}; the DevOps users of the last good answer are notified"
        elif answer.error is None and not answer.devops:
            yield "no user of this server can view DevOps and has an account that works: none gets mail"
        return
    if answer.error is not None:
        yield f"webhooks do not name the DevOps users: {answer.error}"
    if _has_mail(settings) or "UPDATE_CHECK_SINKS" in settings.origins or settings.disables(EMAIL):
        return
    if "UPDATE_CHECK_RECIPIENTS" in settings.origins:
        yield "no mail is sent, though UPDATE_CHECK_RECIPIENTS is set: set SMTP_SERVER"
    elif len(settings.sinks) == 1:
        yield "notices go only to the log: set SMTP_SERVER, or UPDATE_CHECK_WEBHOOK_URL"


def ask_database(settings: Settings) -> DatabaseAnswer:
    """Ask Mastodon's database for its staff; an error is part of the answer."""
    from mastodon_update_check.mastodon.database import ask_first

    if disabled := settings.disables(RECIPIENTS):
        return DatabaseAnswer(error=CheckError(Cause.DATABASE, str(disabled[0])))
    try:
        os_user = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # a user without a name, as in a container
        os_user = ""
    try:
        return ask_first(find_logins(settings, os_user))
    except CheckError as error:
        return DatabaseAnswer(error=error)


def find_logins(settings: Settings, os_user: str) -> "Sequence[DatabaseAddress]":
    """Return the logins to Mastodon's database that a process of this system user tries, in order."""
    from mastodon_update_check.mastodon.database_address import find_addresses

    variables = {
        "host": settings.db_host,
        "port": str(settings.db_port),
        "dbname": settings.db_name,
        "user": settings.db_user,
        "password": settings.db_pass or "",
        "sslmode": settings.db_sslmode,
    }
    return find_addresses(settings.database_url or "", settings.mastodon_database_url or "", variables, os_user)


def _has_mail(settings: Settings) -> bool:
    return any(sink.plugin == EMAIL for sink in settings.sinks)


def find_single_key(sink: SinkSettings) -> str:
    """Return the key of the one recipient that a sink delivers to; empty for mail, which has many."""
    if sink.plugin == EMAIL:
        return ""
    return url_key(sink.plugin, sink.options["url"]) if sink.plugin in {"webhook", "apprise"} else f"sink:{sink.name}"


def _mail_recipients(settings: Settings, devops: Sequence[Recipient]) -> tuple[Recipient, ...]:
    """Return the DevOps users, the configured addresses, and operators that are not among them."""
    users, addresses = devops if settings.recipients.devops else (), settings.recipients.addresses
    mail = [*users, *(_recipient(EMAIL, address_key(one), preference, one) for one, preference in addresses)]
    known = {normalise_address(recipient.address) for recipient in mail}
    operators = {normalise_address(address): address for address in settings.operator}
    others = [address for one, address in operators.items() if one not in known]
    mail += (_recipient(EMAIL, address_key(one), Preference.NONE, one) for one in others)
    return tuple(replace(one, is_operator=not operators or normalise_address(one.address) in operators) for one in mail)


def _recipient(sink: str, key: str, preference: Preference, address: str = "") -> Recipient:
    wants_support = preference is not Preference.NONE
    return Recipient(sink=sink, key=key, address=address, preference=preference, wants_support=wants_support)
