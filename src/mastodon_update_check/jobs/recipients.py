"""Who the recipients are, sink by sink: from the settings, and from Mastodon's database when somebody needs it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from mastodon_update_check.config import Settings, SinkSettings
from mastodon_update_check.config.found import Feature
from mastodon_update_check.domain.addresses import normalise_address
from mastodon_update_check.domain.recipients import (
    Preference,
    Recipient,
    address_key,
    sink_key,
    url_key,
)
from mastodon_update_check.domain.staff import StaffVerdict
from mastodon_update_check.domain.text import clean
from mastodon_update_check.errors import Cause, CheckError

MAIL = "email"
_NO_LIBPQ = "PostgreSQL's client library is missing: install libpq5, or mastodon-update-check[binary]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What Mastodon's database said of its staff; nothing at all when nobody needed to know."""

    verdicts: tuple[StaffVerdict, ...] = ()
    warnings: tuple[str, ...] = ()
    error: CheckError | None = None
    through: str = ""
    """How it was asked, fit to be shown."""
    server_version: str = ""
    """PostgreSQL's version, such as `13.14`; empty when it is unknown."""
    may_write: bool = False
    """Whether the login could change users: more than is needed."""

    @property
    def devops(self) -> tuple[Recipient, ...]:
        """The DevOps users whose account works."""
        return tuple(verdict.recipient for verdict in self.verdicts if verdict.recipient is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class People:
    """Everybody who may be told something, and whose list could not be asked for."""

    recipients: tuple[Recipient, ...]
    answer: Answer
    unasked_sinks: frozenset[str] = frozenset()
    warnings: tuple[str, ...] = ()
    error: CheckError | None = None
    """Why the mail recipients are not known at all; the other sinks' are."""


def find_people(settings: Settings, remembered: tuple[Recipient, ...]) -> People:
    """Gather the recipients of every configured sink.

    Args:
        settings: who is to be told.
        remembered: the DevOps users of the last good answer, for when the database cannot be asked.
    """
    answer = ask_database(settings) if _needs_database(settings) else Answer()
    is_told_from_memory = settings.devops and answer.error is not None
    mail = _mail_recipients(settings, remembered if is_told_from_memory else answer.devops)
    recipients: list[Recipient] = []
    for sink in settings.sinks:
        recipients.extend(mail if sink.plugin == MAIL else (_single_recipient(sink),))
    if not _has_mail(settings):
        return People(
            recipients=tuple(recipients), answer=answer, warnings=(*_without_mail(settings), *_without_names(answer))
        )
    return People(
        recipients=tuple(recipients),
        answer=answer,
        unasked_sinks=frozenset({MAIL}) if settings.devops and not answer.devops else frozenset(),
        warnings=_mail_warnings(settings, answer, mail, remembered),
        error=answer.error if settings.devops and not remembered else None,
    )


def _mail_warnings(
    settings: Settings, answer: Answer, mail: Sequence[Recipient], remembered: Sequence[Recipient]
) -> tuple[str, ...]:
    """Say what is amiss with the mail recipients.

    "Could not ask" is never "nobody": nobody counts as gone then, and the users of the last good answer are told. An
    answer without a single DevOps user is no evidence against those that there were either.
    """
    if not settings.devops:
        nobody = () if mail else ("nobody gets mail: UPDATE_CHECK_RECIPIENTS names no address",)
        return (*_without_names(answer), *nobody)
    if answer.error is not None:
        told = (f"{answer.error}; the DevOps users of the last good answer are told",) if remembered else ()
        return (*answer.warnings, *told)
    if answer.devops:
        return answer.warnings
    return (*answer.warnings, "no user of this server can view DevOps and has an account that works: none gets mail")


def _without_mail(settings: Settings) -> tuple[str, ...]:
    """Say that nobody gets mail, when somebody seems to think so: a file that cannot be read is easily overlooked."""
    if "UPDATE_CHECK_SINKS" in settings.origins or settings.disables(Feature.EMAIL):
        return ()
    if "UPDATE_CHECK_RECIPIENTS" in settings.origins:
        return ("nobody gets mail, though UPDATE_CHECK_RECIPIENTS says who should: SMTP_SERVER is not set",)
    if len(settings.sinks) == 1:
        return ("nobody is told but the log: set SMTP_SERVER, or UPDATE_CHECK_WEBHOOK_URL",)
    return ()


def _without_names(answer: Answer) -> tuple[str, ...]:
    """Say that webhooks cannot name the DevOps users, when that alone is what the database was asked for."""
    lacking = () if answer.error is None else (f"webhooks do not name the DevOps users: {answer.error}",)
    return (*answer.warnings, *lacking)


def ask_database(settings: Settings) -> Answer:
    """Ask Mastodon's database for its staff; an error is part of the answer."""
    if disabled := settings.disables(Feature.RECIPIENTS):
        return Answer(error=CheckError(Cause.DATABASE, str(disabled[0])))
    import pwd
    from os import getuid

    from mastodon_update_check.mastodon.database_address import addresses

    try:
        from mastodon_update_check.mastodon.database import ask_first
    except ImportError as error:  # psycopg is there, but not the C library beneath it
        return Answer(error=CheckError(Cause.DATABASE, f"{_NO_LIBPQ}: {clean(str(error).splitlines()[0])}"))
    try:
        os_user = pwd.getpwuid(getuid()).pw_name
    except KeyError:  # a user without a name, as in a container
        os_user = ""
    try:
        staff = ask_first(addresses(settings, os_user))
    except CheckError as error:
        return Answer(error=error)
    return Answer(verdicts=staff.verdicts, warnings=staff.warnings, through=staff.through, may_write=staff.may_write)


def _has_mail(settings: Settings) -> bool:
    return any(sink.plugin == MAIL for sink in settings.sinks)


def _needs_database(settings: Settings) -> bool:
    """Whether somebody needs the DevOps users: to get mail, or to be named in a webhook."""
    names = any(sink.options.get("names") == "true" for sink in settings.sinks if sink.plugin == "webhook")
    return names or (settings.devops and _has_mail(settings))


def find_single_key(sink: SinkSettings) -> str:
    """Return the key of the one recipient that a sink delivers to; empty for mail, which has many."""
    if sink.plugin == MAIL:
        return ""
    return url_key(sink.plugin, sink.options["url"]) if sink.plugin in {"webhook", "apprise"} else sink_key(sink.name)


def _single_recipient(sink: SinkSettings) -> Recipient:
    return Recipient(
        sink=sink.name,
        key=find_single_key(sink),
        preference=sink.preference,
        wants_support=sink.preference is not Preference.NONE,
    )


def _mail_recipients(settings: Settings, devops: Sequence[Recipient]) -> tuple[Recipient, ...]:
    """The DevOps users if they are asked for, the configured addresses, and operators that are not among them."""
    operators = {normalise_address(address) for address in settings.operator}
    users = [
        replace(user, is_operator=not operators or normalise_address(user.address) in operators)
        for user in (devops if settings.devops else ())
    ]
    named = [
        _address_recipient(address, preference, is_operator=not operators or normalise_address(address) in operators)
        for address, preference in settings.addresses
    ]
    known = {normalise_address(recipient.address) for recipient in (*users, *named)}
    others = [
        _address_recipient(address, Preference.NONE, is_operator=True)
        for address in settings.operator
        if normalise_address(address) not in known
    ]
    return (*users, *named, *others)


def _address_recipient(address: str, preference: Preference, *, is_operator: bool) -> Recipient:
    return Recipient(
        sink=MAIL,
        key=address_key(address),
        address=address,
        preference=preference,
        wants_support=preference is not Preference.NONE,
        is_operator=is_operator,
    )
