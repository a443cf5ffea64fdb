"""The end of every message: who got it, why, and how to change that."""

from mastodon_update_check.core.messages.surroundings import Surroundings
from mastodon_update_check.core.notices import InstalledNotice, Notice, ReminderNotice, SupportNotice, UpdateNotice
from mastodon_update_check.core.recipients import Recipient
from mastodon_update_check.core.text import clean


def write_footer(recipient: Recipient, main: Notice, around: Surroundings, message_id: str) -> str:
    """Say who got this and why, how to change that, and where it came from."""
    if recipient.key.startswith("user:"):
        why = _why_user(recipient, main, around)
    elif recipient.address:
        why = (
            f"To {recipient.address} because the settings of mastodon-update-check name this address"
            f"{_setting(recipient, main)}."
        )
    else:
        why = f"To the sink {recipient.sink} of {around.instance} ({recipient.preference})."
    return f"{why} From mastodon-update-check on {clean(around.hostname)}. ID {message_id}"


def _why_user(recipient: Recipient, main: Notice, around: Surroundings) -> str:
    role = f"as {clean(recipient.role)} " if recipient.role else ""
    to = f"To you {role}of {around.instance}"
    change = f"; change it at {around.preferences_url}" if around.preferences_url else ""
    match main:
        case UpdateNotice() | ReminderNotice() | InstalledNotice():
            return f"{to} (your setting: {recipient.preference}{change})."
        case SupportNotice():
            return f"{to} (your setting for the end of support: on{change})."
        case _:
            return f"{to}, since UPDATE_CHECK_OPERATOR names nobody else."


def _setting(recipient: Recipient, main: Notice) -> str:
    """Name what decides whether this address is told, and the variable to change."""
    match main:
        case UpdateNotice() | ReminderNotice() | InstalledNotice():
            return f" ({recipient.preference}); change UPDATE_CHECK_RECIPIENTS there"
        case SupportNotice():
            return "; change UPDATE_CHECK_RECIPIENTS there"
        case _:
            return "; change UPDATE_CHECK_OPERATOR there"
