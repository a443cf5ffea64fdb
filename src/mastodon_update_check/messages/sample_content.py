"""The letter of `send-test`: it says what it is, what this recipient would get in earnest, and who else is told."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import assert_never

from mastodon_update_check.domain.recipients import Preference, Recipient
from mastodon_update_check.domain.text import clean
from mastodon_update_check.errors import UntranslatedError
from mastodon_update_check.messages.content import Block, Content, Paragraph
from mastodon_update_check.messages.context import MessageContext
from mastodon_update_check.messages.footer import describe_preference
from mastodon_update_check.messages.html import render_html
from mastodon_update_check.messages.message import Message, MessageType
from mastodon_update_check.messages.payload import build_payload
from mastodon_update_check.messages.plain import render_text
from mastodon_update_check.messages.translation import ENGLISH, NO_BREAK, Translation

PEOPLE_SHOWN = 20


def compose_trial(
    *,
    id: str,  # noqa: A002 - a message's field is called so
    recipient: Recipient,
    everybody: Sequence[Recipient],
    around: MessageContext,
    now: datetime,
) -> Message:
    """Compose a test message to one recipient; `everybody` are those who are told in earnest."""
    # Without releases: nobody, and no receiver's program, is to take a test for a notice.
    bare = replace(around, knowledge=replace(around.knowledge, updates=()))
    try:
        letter = _write(recipient, everybody, around, id)
    except UntranslatedError:
        letter = _write(recipient, everybody, replace(around, words=ENGLISH), id)
    return Message(
        id=id,
        type=MessageType.TEST,
        instance=around.instance,
        recipient=recipient,
        created_at=now,
        urgent=False,
        thread=hashlib.sha256(f"{around.instance}\ntest".encode()).hexdigest()[:32],
        subject=letter.subject.replace(NO_BREAK, " "),
        text=render_text(letter),
        html=render_html(letter),
        payload=build_payload(MessageType.TEST, now, (), bare, is_urgent=False),
        devops_users=around.devops_users,
        language=letter.language,
    )


def describe_wishes(recipient: Recipient, words: Translation = ENGLISH) -> str:
    """Say what a recipient is told of, as in `every newer release and the end of support`."""
    wishes = [
        _describe_releases(recipient.preference, words),
        words.say("the end of support") if recipient.wants_support else "",
        words.say("trouble with mastodon-update-check itself") if recipient.is_operator else "",
    ]
    return words.enumerate([*filter(None, wishes)]) or words.label("what somebody is told of", "nothing")


def _describe_releases(preference: Preference, words: Translation) -> str:
    match preference:
        case Preference.NONE:
            return ""
        case Preference.CRITICAL:
            return words.say("releases that Mastodon marks as urgent")
        case Preference.PATCH:
            return words.say("patches and urgent releases")
        case Preference.ALL:
            return words.say("every newer release")
        case _:
            assert_never(preference)


def _write(recipient: Recipient, everybody: Sequence[Recipient], around: MessageContext, message_id: str) -> Content:
    words, installed = around.words, around.knowledge.installed
    is_test = words.say("This is a test, sent by hand: it announces nothing, and there is nothing to do.")
    version = installed.text if installed else ""
    runs = words.say("{instance} runs Mastodon {installed}.", instance=around.instance, installed=version)
    title = words.say("Test of mastodon-update-check: nothing to do")
    blocks: list[Block] = [
        Paragraph(words.join(is_test, runs if version else "")),
        Paragraph(_describe_place(recipient, words)),
    ]
    if recipient.address and recipient.is_operator:
        blocks.append(Paragraph(_list_people(everybody, words)))
    return Content(
        subject=f"[{around.instance}] {title}",
        blocks=tuple(blocks),
        footer=words.say(
            "From `mastodon-update-check send-test` on {host}. ID {id}", host=clean(around.hostname), id=message_id
        ),
        language=words.language,
    )


def _describe_place(recipient: Recipient, words: Translation) -> str:
    """Say what is told here; sinks without addresses have no language."""
    wishes = describe_wishes(recipient, words)
    if not recipient.address:
        return (
            f"If you can read this, messages arrive here. In earnest this sink ({recipient.sink}) is told of: {wishes}."
        )
    return words.say(
        "If you can read this, messages arrive here. In earnest this address is told of: {wishes}.", wishes=wishes
    )


def _list_people(everybody: Sequence[Recipient], words: Translation) -> str:
    """Name those who are told by mail; only the operator reads this."""
    told = [one for one in everybody if one.address]
    people = [
        f"{clean(one.name or one.address)}{NO_BREAK}({describe_preference(one.preference, words)})"
        for one in told[:PEOPLE_SHOWN]
    ]
    left = len(told) - len(people)
    named = words.enumerate([*people, words.count("{number} more", "{number} more", left)] if left else people)
    others = sorted({one.sink for one in everybody if not one.address})
    by_mail = words.say("Told by mail, each with the releases that they want: {names}.", names=named)
    return words.join(by_mail, words.say("Besides: {sinks}.", sinks=words.enumerate(others)) if others else "")
