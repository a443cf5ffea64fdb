"""The message of `send-test`: what it is, and which notices this recipient gets."""

from mastodon_update_check.domain.recipients import Preference, Recipient
from mastodon_update_check.domain.text import clean
from mastodon_update_check.messages.content import Content, Paragraph
from mastodon_update_check.messages.context import MessageContext
from mastodon_update_check.messages.translation import ENGLISH, Translation


def describe_subscriptions(recipient: Recipient, translation: Translation = ENGLISH) -> str:
    """Return the notices that a recipient gets, as in `every newer release and the end of support`."""
    notices = [
        _describe_releases(recipient.preference, translation),
        translation.say("the end of support") if recipient.wants_support else "",
        translation.say("problems of mastodon-update-check itself") if recipient.is_operator else "",
    ]
    return translation.enumerate([*filter(None, notices)]) or translation.label(
        "what a recipient is notified of", "nothing"
    )


def _describe_releases(preference: Preference, translation: Translation) -> str:
    return {
        Preference.NONE: "",
        Preference.CRITICAL: translation.say("releases that Mastodon marks as urgent"),
        Preference.PATCH: translation.say("patches and urgent releases"),
        Preference.ALL: translation.say("every newer release"),
    }[preference]


def write_test_content(recipient: Recipient, context: MessageContext, message_id: str) -> Content:
    """Write a test to one recipient."""
    translation, installed = context.translation, context.installed
    is_test = translation.say("This is a test, sent by hand: it announces nothing, and there is nothing to do.")
    version = installed.text if installed else ""
    runs = translation.say("{instance} runs Mastodon {installed}.", instance=context.instance, installed=version)
    title = translation.say("Test of mastodon-update-check: nothing to do")
    return Content(
        subject=f"[{context.instance}] {title}",
        blocks=(
            Paragraph(translation.join(is_test, runs if version else "")),
            Paragraph(_describe_place(recipient, translation)),
        ),
        footer=translation.say(
            "From `mastodon-update-check send-test` on {host}. ID {id}", host=clean(context.hostname), id=message_id
        ),
    )


def _describe_place(recipient: Recipient, translation: Translation) -> str:
    """Say which notices this place gets; sinks without addresses have no language."""
    wishes = describe_subscriptions(recipient, translation)
    if not recipient.address:
        return f"Messages arrive at this sink ({recipient.sink}). It is notified of: {wishes}."
    return translation.say("Messages arrive at this address. It is notified of: {wishes}.", wishes=wishes)
