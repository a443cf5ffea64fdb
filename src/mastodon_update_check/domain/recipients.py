"""Recipients, the notices that each of them wants, and the reasons of decisions about them."""

import hashlib
from dataclasses import dataclass
from enum import StrEnum
from typing import Self, assert_never

from mastodon_update_check.domain import notices
from mastodon_update_check.domain.addresses import normalise_address


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
    is_operator: bool = True
    name: str = ""
    role: str = ""
    locale: str = ""


class Reason(StrEnum):
    """One reason: the value is stored in the ledger and never changes, `explanation` is the end of a sentence."""

    explanation: str
    notifies: bool

    def __new__(cls, value: str, explanation: str = "", notifies: bool = False) -> Self:  # noqa: FBT001, FBT002 - a column
        """Return a member whose value is its first text."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.explanation, member.notifies = explanation, notifies
        return member

    # notified
    URGENT_UPDATE = "urgent_update", "urgent releases are wanted", True
    PATCH_UPDATE = "patch_update", "patches are wanted", True
    ANY_UPDATE = "any_update", "every release is wanted", True
    SUPPORT_ENDS = "support_ends", "warnings of the end of support are wanted", True
    OPERATOR = "operator", "the operator is notified of problems with this tool", True
    MARKED_AT_SETUP = "marked_at_setup", "`setup` or `check --mark` marked it as sent"
    REMINDER = "reminder", "a notice was sent, and it is still not installed", True
    CLOSURE = "closure", "a notice was sent, and it is installed now", True
    # not notified
    PREFERENCE_NONE = "preference_none", "no releases are wanted (the setting is none)"
    BELOW_PREFERENCE = "below_preference", "it is less than what is wanted"
    SUPPORT_WARNINGS_OFF = "support_warnings_off", "warnings of the end of support are switched off"
    NOT_OPERATOR = "not_operator", "this is for the operator alone"
    OWN_SINK_FAILS = "own_sink_fails", "it is about this very sink"
    ALREADY_NOTIFIED = "already_told", "already sent"
    ALREADY_PLANNED = "already_planned", "planned, and not delivered yet"
    NOT_NOTIFIED_OF_OUTAGE = "not_told_of_outage", "not notified of the failure, so not of its end"
    # not notified, or not any more
    SKIPPED = "skipped", "it is skipped (`mastodon-update-check skip --undo` takes that back)"
    # not any more
    INSTALLED = "installed", "it was installed first"
    WITHDRAWN = "withdrawn", "the update server did not list it any more"
    PRERELEASE = "prerelease", "it is a pre-release, and none is installed any more"
    URGENCY_ROSE = "urgency_rose", "it became urgent, and a notice of that replaced this one"
    URGENCY_FELL = "urgency_fell", "it was not urgent any more"
    LATER_STAGE = "later_stage", "a later warning took its place"
    DATE_MOVED = "date_moved", "the date had moved"
    BRANCH_LEFT = "branch_left", "another branch was installed first"
    RECIPIENT_GONE = "recipient_gone", "the recipient is not configured any more"
    PREFERENCE_LOWERED = "preference_lowered", "it was not wanted any more"
    OVER = "over", "it was over"
    NOT_INSTALLED = "not_installed", "it was not installed any more"
    NOT_TO_ACT_ON = "not_to_act_on", "there was nothing to do about it any more"
    FOLLOW_UPS_OFF = "follow_ups_off", "it was switched off (UPDATE_CHECK_REMINDERS, UPDATE_CHECK_CLOSURE)"
    LEFT_BEHIND = "left_behind", "its message was sent without it, and another message has it"
    COVERED = "covered", "a notice sent in the meantime covers it"

    @property
    def supersedes(self) -> bool:
        """Return whether another notice takes the place of the cancelled one."""
        return self in {Reason.URGENCY_ROSE, Reason.LATER_STAGE}


def wants(recipient: Recipient, notice: notices.Notice) -> Reason:
    """Decide by the recipient's preferences alone: updates go by Mastodon's rules, tool notices to operators."""
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
