"""The footer of a message: who got it, why, and how to change that."""

from functools import partial

from mastodon_update_check.domain.notices import InstalledNotice, Notice, ReminderNotice, SupportNotice, UpdateNotice
from mastodon_update_check.domain.recipients import Preference, Recipient
from mastodon_update_check.domain.text import clean, without_links
from mastodon_update_check.messages.context import MessageContext
from mastodon_update_check.messages.translation import Translation


def write_footer(recipient: Recipient, main: Notice, context: MessageContext, message_id: str) -> str:
    """Say who got this and why, how to change that, and where it came from.

    Only users have a language; what is said to addresses and sinks is English.
    """
    if recipient.key.startswith("user:"):
        why = _why_user(recipient, main, context)
    elif recipient.address:
        why = (
            f"To {recipient.address} because the settings of mastodon-update-check name this address"
            f"{_setting(recipient, main)}."
        )
    else:
        why = f"To the sink {recipient.sink} of {context.instance} ({recipient.preference})."
    origin = context.translation.say(
        "From mastodon-update-check on {host}. ID {id}", host=clean(context.hostname), id=message_id
    )
    return context.translation.join(why, origin)


def _why_user(recipient: Recipient, main: Notice, context: MessageContext) -> str:
    translation, role = context.translation, without_links(clean(recipient.role))
    if role:
        to = translation.say("To you as {role} of {instance}", role=role, instance=context.instance)
    else:
        to = translation.say("To you of {instance}", instance=context.instance)
    setting, url = describe_preference(recipient.preference, translation), context.preferences_url
    say = partial(translation.say, to=to, setting=setting, url=url)
    match main:
        case UpdateNotice() | ReminderNotice() | InstalledNotice():
            why = say("your setting: {setting}; change it at {url}")
        case SupportNotice():
            why = say("your setting for the end of support: on; change it at {url}")
        case _:
            return say("{to}, because UPDATE_CHECK_OPERATOR names no other address.")
    return translation.label("footer", "{to} ({why}).", to=to, why=why)


def describe_preference(preference: Preference, translation: Translation) -> str:
    """Return a preference in words."""
    return {
        Preference.NONE: translation.label("preference", "none"),
        Preference.CRITICAL: translation.label("preference", "critical"),
        Preference.PATCH: translation.label("preference", "patch"),
        Preference.ALL: translation.label("preference", "all"),
    }[preference]


def _setting(recipient: Recipient, main: Notice) -> str:
    match main:
        case UpdateNotice() | ReminderNotice() | InstalledNotice():
            return f" ({recipient.preference}); change UPDATE_CHECK_RECIPIENTS there"
        case SupportNotice():
            return "; change UPDATE_CHECK_RECIPIENTS there"
        case _:
            return "; change UPDATE_CHECK_OPERATOR there"
