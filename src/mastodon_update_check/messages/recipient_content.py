"""Texts about the recipient of a message: the notices that it gets, and why; in footers and in the test message."""

from functools import partial

from mastodon_update_check.domain.notices import InstalledNotice, Notice, ReminderNotice, SupportNotice, UpdateNotice
from mastodon_update_check.domain.recipients import Preference, Recipient
from mastodon_update_check.domain.text import clean, without_links
from mastodon_update_check.messages.content import Content, MessageContext, Paragraph
from mastodon_update_check.messages.translation import ENGLISH, Translation


def write_footer(recipient: Recipient, main: Notice, context: MessageContext, message_id: str) -> str:
    """Say who got this, why, how to change that, where it came from; only users have a language other than English."""
    if recipient.key.startswith("user:"):
        why = _why_user(recipient, main, context)
    elif recipient.address:
        match main:
            case UpdateNotice() | ReminderNotice() | InstalledNotice():
                change = f" ({recipient.preference}); change UPDATE_CHECK_RECIPIENTS there"
            case SupportNotice():
                change = "; change UPDATE_CHECK_RECIPIENTS there"
            case _:
                change = "; change UPDATE_CHECK_OPERATOR there"
        why = f"To {recipient.address} because the settings of mastodon-update-check name this address{change}."
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
    setting = {
        Preference.NONE: translation.label("preference", "none"),
        Preference.CRITICAL: translation.label("preference", "critical"),
        Preference.PATCH: translation.label("preference", "patch"),
        Preference.ALL: translation.label("preference", "all"),
    }[recipient.preference]
    say = partial(translation.say, to=to, setting=setting, url=context.preferences_url)
    match main:
        case UpdateNotice() | ReminderNotice() | InstalledNotice():
            why = say("your setting: {setting}; change it at {url}")
        case SupportNotice():
            why = say("your setting for the end of support: on; change it at {url}")
        case _:
            return say("{to}, because UPDATE_CHECK_OPERATOR names no other address.")
    return translation.label("footer", "{to} ({why}).", to=to, why=why)


def describe_subscriptions(recipient: Recipient, translation: Translation = ENGLISH) -> str:
    """Return the notices that a recipient gets, as in `every newer release and the end of support`."""
    releases = {
        Preference.NONE: "",
        Preference.CRITICAL: translation.say("releases that Mastodon marks as urgent"),
        Preference.PATCH: translation.say("patches and urgent releases"),
        Preference.ALL: translation.say("every newer release"),
    }[recipient.preference]
    support = translation.say("the end of support") if recipient.wants_support else ""
    problems = translation.say("problems of mastodon-update-check itself") if recipient.is_operator else ""
    named = [*filter(None, (releases, support, problems))]
    return translation.enumerate(named) or translation.label("what a recipient is notified of", "nothing")


def write_test_content(recipient: Recipient, context: MessageContext, message_id: str) -> Content:
    """Write a test to one recipient; sinks without addresses have no language."""
    say, wishes = context.translation.say, describe_subscriptions(recipient, context.translation)
    is_test = say("This is a test, sent by hand: it announces nothing, and there is nothing to do.")
    version = context.installed.text if context.installed else ""
    runs = say("{instance} runs Mastodon {installed}.", instance=context.instance, installed=version)
    if recipient.address:
        place = say("Messages arrive at this address. It is notified of: {wishes}.", wishes=wishes)
    else:
        place = f"Messages arrive at this sink ({recipient.sink}). It is notified of: {wishes}."
    title, host = say("Test of mastodon-update-check: nothing to do"), clean(context.hostname)
    return Content(
        subject=f"[{context.instance}] {title}",
        blocks=(Paragraph(context.translation.join(is_test, runs if version else "")), Paragraph(place)),
        footer=say("From `mastodon-update-check send-test` on {host}. ID {id}", host=host, id=message_id),
    )
