"""Who the recipients are, sink by sink, as the settings say."""

from dataclasses import dataclass

from mastodon_update_check.core.recipients import (
    Preference,
    Recipient,
    address_key,
    normalise_address,
    sink_key,
    webhook_key,
)
from mastodon_update_check.settings import Settings, SinkSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class People:
    """Everybody who may be told something, and whose list could not be asked for."""

    recipients: tuple[Recipient, ...]
    unasked_sinks: frozenset[str] = frozenset()
    warnings: tuple[str, ...] = ()


def find_people(settings: Settings) -> People:
    """Gather the recipients of every configured sink."""
    recipients: list[Recipient] = []
    warnings: list[str] = []
    for sink in settings.sinks:
        if sink.plugin == "email":
            mail = _mail_recipients(settings)
            recipients.extend(mail)
            if not mail:
                warnings.append("nobody gets mail: UPDATE_CHECK_RECIPIENTS names no address")
        else:
            recipients.append(_single_recipient(sink))
    return People(recipients=tuple(recipients), warnings=tuple(warnings))


def _single_recipient(sink: SinkSettings) -> Recipient:
    key = webhook_key(sink.options["url"]) if sink.plugin == "webhook" else sink_key(sink.name)
    return Recipient(
        sink=sink.name, key=key, preference=sink.preference, wants_support=sink.preference is not Preference.NONE
    )


def _mail_recipients(settings: Settings) -> list[Recipient]:
    """The configured addresses, and the operators that are not among them."""
    operators = {normalise_address(address) for address in settings.operator}
    mail = [
        Recipient(
            sink="email",
            key=address_key(address),
            address=address,
            preference=preference,
            wants_support=preference is not Preference.NONE,
            is_operator=not operators or normalise_address(address) in operators,
        )
        for address, preference in settings.addresses
    ]
    known = {normalise_address(recipient.address) for recipient in mail}
    return mail + [
        Recipient(
            sink="email",
            key=address_key(address),
            address=address,
            preference=Preference.NONE,
            wants_support=False,
            is_operator=True,
        )
        for address in settings.operator
        if normalise_address(address) not in known
    ]
