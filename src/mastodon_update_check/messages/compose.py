"""From notices to a message: subject, text, HTML, JSON body, for one recipient."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from mastodon_update_check.domain import notices as kinds
from mastodon_update_check.domain.identities import subject
from mastodon_update_check.domain.notices import Notice, UpdateNotice
from mastodon_update_check.domain.recipients import Recipient
from mastodon_update_check.errors import UntranslatedError
from mastodon_update_check.messages import release_content
from mastodon_update_check.messages.content import Content, MessageContext
from mastodon_update_check.messages.message import Message, MessageType
from mastodon_update_check.messages.payload import build_payload
from mastodon_update_check.messages.recipient_content import write_footer, write_test_content
from mastodon_update_check.messages.release_parts import order_updates
from mastodon_update_check.messages.rendering import render_html, render_text
from mastodon_update_check.messages.tool_content import write_tool_content
from mastodon_update_check.messages.translation import ENGLISH, NO_BREAK


def compose(
    *,
    id: str,  # noqa: A002 - a message's field is called so
    recipient: Recipient,
    notices: Sequence[Notice] | None,
    created_at: datetime,
    context: MessageContext,
    dated_at: datetime | None = None,
) -> Message:
    """Compose one message from notices of one type, or one tool notice, at least one; None stands for a test.

    It is in the recipient's language, or in English if the catalogue lacks a sentence.
    """
    main, kind, thread = None, MessageType.TEST, "test"
    # Without releases: neither people nor programs must take a test for a notice.
    bare = replace(context, knowledge=replace(context.knowledge, updates=()))
    if notices is not None:
        main, bare = _main_notice(notices, context.branch), context
        kind = MessageType((main.about if isinstance(main, kinds.UpgradeFinishedNotice) else main).event)
        thread = subject(main)

    def write(around: MessageContext) -> Content:
        if notices is None or main is None:
            return write_test_content(recipient, around, id)
        footer = write_footer(recipient, main, around, id)
        return replace(_write(notices, main, around), footer=footer, footer_url=around.preferences_url)

    try:
        content = replace(write(context), language=context.translation.language)
    except UntranslatedError:
        content = write(replace(context, translation=ENGLISH))
    return Message(
        id=id,
        type=kind,
        instance=context.instance,
        recipient=recipient,
        created_at=created_at,
        dated_at=dated_at or created_at,
        urgent=content.is_urgent,
        thread=hashlib.sha256(f"{context.instance}\n{thread}".encode()).hexdigest()[:32],
        subject=content.subject.replace(NO_BREAK, " "),
        text=render_text(content),
        html=render_html(content),
        payload=build_payload(kind, created_at, notices or (), bare, is_urgent=content.is_urgent),
        devops_users=tuple(user.name for user in context.knowledge.devops),
        language=content.language,
    )


def _main_notice(notices: Sequence[Notice], branch: str) -> Notice:
    """Return the notice that gives the message its name: of several updates the one that matters most."""
    by_update: dict[UpdateNotice, Notice] = {}
    for notice in notices:
        if isinstance(notice, UpdateNotice):
            by_update[notice] = notice
        elif isinstance(notice, kinds.ReminderNotice | kinds.InstalledNotice):
            by_update[notice.update] = notice
    return by_update[order_updates([*by_update], branch)[0]] if by_update else notices[0]


def _write(notices: Sequence[Notice], main: Notice, context: MessageContext) -> Content:
    match main:
        case UpdateNotice() | kinds.SupportNotice():
            updates = [notice for notice in notices if isinstance(notice, UpdateNotice)]
            support = next((notice for notice in notices if isinstance(notice, kinds.SupportNotice)), None)
            return release_content.write_update_content(updates, support, context)
        case kinds.ReminderNotice():
            reminders = [one for one in notices if isinstance(one, kinds.ReminderNotice)]
            return release_content.write_reminder_content(reminders, context)
        case kinds.InstalledNotice():
            closures = [one for one in notices if isinstance(one, kinds.InstalledNotice)]
            return release_content.write_installed_content(closures, context)
        case _:
            return write_tool_content(main, context)
