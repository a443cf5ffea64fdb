"""The message of `send-test`: what it is, which notices this recipient gets, and who else is notified."""

from collections.abc import Sequence

from mastodon_update_check.domain.recipients import Preference, Recipient
from mastodon_update_check.domain.text import clean
from mastodon_update_check.messages.content import Block, Content, Paragraph
from mastodon_update_check.messages.context import MessageContext
from mastodon_update_check.messages.footer import describe_preference
from mastodon_update_check.messages.translation import ENGLISH, NO_BREAK, Translation

PEOPLE_SHOWN = 20


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


def write_test_content(
    recipient: Recipient, recipients: Sequence[Recipient], context: MessageContext, message_id: str
) -> Content:
    """Write a test to one recipient; `recipients` are those who get real notices."""
    translation, installed = context.translation, context.installed
    is_test = translation.say("This is a test, sent by hand: it announces nothing, and there is nothing to do.")
    version = installed.text if installed else ""
    runs = translation.say("{instance} runs Mastodon {installed}.", instance=context.instance, installed=version)
    title = translation.say("Test of mastodon-update-check: nothing to do")
    blocks: list[Block] = [
        Paragraph(translation.join(is_test, runs if version else "")),
        Paragraph(_describe_place(recipient, translation)),
    ]
    if recipient.address and recipient.is_operator:
        blocks.append(Paragraph(_list_people(recipients, translation)))
    return Content(
        subject=f"[{context.instance}] {title}",
        blocks=tuple(blocks),
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


def _list_people(recipients: Sequence[Recipient], translation: Translation) -> str:
    """Name the recipients of mail; only the operator reads this."""
    notified = [one for one in recipients if one.address]
    people = [
        f"{clean(one.name or one.address)}{NO_BREAK}({describe_preference(one.preference, translation)})"
        for one in notified[:PEOPLE_SHOWN]
    ]
    left = len(notified) - len(people)
    named = translation.enumerate(
        [*people, translation.count("{number} more", "{number} more", left)] if left else people
    )
    others = sorted({one.sink for one in recipients if not one.address})
    by_mail = translation.say("Notified by mail, each according to their setting: {names}.", names=named)
    return translation.join(
        by_mail, translation.say("Other sinks: {sinks}.", sinks=translation.enumerate(others)) if others else ""
    )
