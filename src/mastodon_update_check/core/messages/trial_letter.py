"""The letter of `send-test`: it says what it is, what this recipient would get in earnest, and who else is told."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from mastodon_update_check.core.messages.html import render_html
from mastodon_update_check.core.messages.letter import Block, Letter, Paragraph, enumerate_words
from mastodon_update_check.core.messages.message import Message, MessageType
from mastodon_update_check.core.messages.payload import build_payload
from mastodon_update_check.core.messages.plain import render_text
from mastodon_update_check.core.messages.surroundings import Surroundings
from mastodon_update_check.core.recipients import Preference, Recipient
from mastodon_update_check.core.text import clean

PEOPLE_SHOWN = 20
_RELEASES = {
    Preference.NONE: "",
    Preference.CRITICAL: "releases that Mastodon marks as urgent",
    Preference.PATCH: "patches and urgent releases",
    Preference.ALL: "every newer release",
}


def compose_trial(
    *,
    id: str,  # noqa: A002 - a message's field is called so
    recipient: Recipient,
    everybody: Sequence[Recipient],
    around: Surroundings,
    now: datetime,
) -> Message:
    """Compose a test message to one recipient; `everybody` are those who are told in earnest."""
    # Without releases: nobody, and no receiver's program, is to take a test for a notice.
    bare = replace(around, knowledge=replace(around.knowledge, updates=()))
    letter = _write(recipient, everybody, around, id)
    return Message(
        id=id,
        type=MessageType.TEST,
        instance=around.instance,
        recipient=recipient,
        created_at=now,
        urgent=False,
        thread=hashlib.sha256(f"{around.instance}\ntest".encode()).hexdigest()[:32],
        subject=letter.subject,
        text=render_text(letter),
        html=render_html(letter),
        payload=build_payload(MessageType.TEST, now, (), bare, is_urgent=False),
        devops_users=around.devops_users,
    )


def describe_wishes(recipient: Recipient) -> str:
    """Say what a recipient is told of, as in `every newer release and the end of support`."""
    wishes = (
        _RELEASES[recipient.preference],
        "the end of support" if recipient.wants_support else "",
        "trouble with mastodon-update-check itself" if recipient.is_operator else "",
    )
    return enumerate_words(tuple(filter(None, wishes))) or "nothing"


def _write(recipient: Recipient, everybody: Sequence[Recipient], around: Surroundings, message_id: str) -> Letter:
    installed = around.knowledge.installed
    runs = f" {around.instance} runs Mastodon {installed.text}." if installed else ""
    blocks: list[Block] = [
        Paragraph(f"This is a test, sent by hand: it announces nothing, and there is nothing to do.{runs}"),
        Paragraph(
            f"If you can read it, messages arrive here. In earnest this {_place(recipient)} is told of: "
            f"{describe_wishes(recipient)}."
        ),
    ]
    if recipient.address and recipient.is_operator:
        blocks.append(Paragraph(_list_people(everybody)))
    return Letter(
        subject=f"[{around.instance}] Test of mastodon-update-check: nothing to do",
        blocks=tuple(blocks),
        footer=f"From `mastodon-update-check send-test` on {clean(around.hostname)}. ID {message_id}",
    )


def _place(recipient: Recipient) -> str:
    return "address" if recipient.address else f"sink ({recipient.sink})"


def _list_people(everybody: Sequence[Recipient]) -> str:
    """Name those who are told by mail; only the operator reads this."""
    told = [one for one in everybody if one.address]
    words = [f"{clean(one.name or one.address)} ({one.preference})" for one in told[:PEOPLE_SHOWN]]
    left = len(told) - len(words)
    named = enumerate_words((*words, f"{left} more") if left else tuple(words))
    others = sorted({one.sink for one in everybody if not one.address})
    also = f" Besides: {enumerate_words(tuple(others))}." if others else ""
    return f"Told by mail, each with the releases that they want: {named or 'nobody'}.{also}"
