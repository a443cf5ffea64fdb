"""Recipients, and which notices each of them wants."""

import hashlib
from dataclasses import dataclass
from enum import StrEnum
from typing import assert_never

from mastodon_update_check.domain import notices
from mastodon_update_check.domain.addresses import normalise_address
from mastodon_update_check.domain.reasons import Reason


class Preference(StrEnum):
    """Which update notices a recipient wants; Mastodon's `notification_emails.software_updates`."""

    NONE = "none"
    CRITICAL = "critical"
    PATCH = "patch"
    ALL = "all"


class FollowUps(StrEnum):
    """For which updates reminders, or words of closure, are sent."""

    NONE = "none"
    URGENT = "urgent"
    ALL = "all"

    def admit(self, update: notices.UpdateNotice) -> bool:
        """Return whether they are sent for this update."""
        return self is FollowUps.ALL or (self is FollowUps.URGENT and update.urgent)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """One person or machine that one sink delivers to."""

    sink: str
    """The configured sink: `email`, `webhook`, `webhook.ops`, `log`, or that of another package."""
    key: str
    """Stable identity in the ledger: `user:42`, `address:ops@social.example`, `webhook:<SHA-256>`, `sink:log`."""
    address: str = ""
    """Mail address; empty for sinks that know for themselves where to deliver."""
    preference: Preference = Preference.ALL
    wants_support: bool = True
    """Whether support notices are wanted (`notification_emails.end_of_support`)."""
    is_operator: bool = True
    name: str = ""
    """The user's name on the server, if this is one of its users."""
    role: str = ""
    locale: str = ""
    """The user's language, as in `users.locale`."""


def wants(recipient: Recipient, notice: notices.Notice) -> Reason:
    """Decide by the recipient's preferences alone, whether or not the recipient got the notice before.

    Updates go by Mastodon's rules, tool notices to operators.
    """
    match notice:
        case notices.UpdateNotice():
            return _wants_update(recipient.preference, notice)
        case notices.ReminderNotice() | notices.InstalledNotice():
            why = Reason.REMINDER if isinstance(notice, notices.ReminderNotice) else Reason.CLOSURE
            about = _wants_update(recipient.preference, notice.update)
            return why if about.notifies else about
        case notices.SupportNotice():
            return Reason.SUPPORT_ENDS if recipient.wants_support else Reason.SUPPORT_WARNINGS_OFF
        case notices.DeliveryFailingNotice() if notice.sink == recipient.sink:
            return Reason.OWN_SINK_FAILS
        case _:
            return Reason.OPERATOR if recipient.is_operator else Reason.NOT_OPERATOR


def _wants_update(preference: Preference, notice: notices.UpdateNotice) -> Reason:
    match preference:
        case Preference.NONE:
            return Reason.PREFERENCE_NONE
        case _ if notice.urgent:
            return Reason.URGENT_UPDATE
        case Preference.CRITICAL:
            return Reason.BELOW_PREFERENCE
        case _ if notice.type is notices.UpdateType.PATCH:
            return Reason.PATCH_UPDATE
        case Preference.PATCH:
            return Reason.BELOW_PREFERENCE
        case Preference.ALL:
            return Reason.ANY_UPDATE
        case _:
            assert_never(preference)


def address_key(address: str) -> str:
    """Return the recipient key of a mail address that belongs to no user of the server."""
    return f"address:{normalise_address(address)}"


def url_key(plugin: str, url: str) -> str:
    """Return the recipient key of a webhook, or its like: never the URL itself, which may be a secret."""
    return f"{plugin}:{hashlib.sha256(url.encode()).hexdigest()}"
