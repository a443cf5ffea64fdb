"""From notices to a message: subject, text, HTML, JSON body, for one recipient."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from mastodon_update_check.domain.identities import subject
from mastodon_update_check.domain.notices import (
    CheckFailingNotice,
    CheckRecoveredNotice,
    DeliveryFailingNotice,
    InstalledNotice,
    MigrationsPendingNotice,
    Notice,
    ReminderNotice,
    RestartNotice,
    ServicesOutdatedNotice,
    SupportNotice,
    UpdateNotice,
    UpgradeFinishedNotice,
)
from mastodon_update_check.domain.recipients import Recipient
from mastodon_update_check.errors import UntranslatedError
from mastodon_update_check.messages.content import Content
from mastodon_update_check.messages.context import MessageContext
from mastodon_update_check.messages.follow_up_content import write_installed_content, write_reminder_content
from mastodon_update_check.messages.footer import write_footer
from mastodon_update_check.messages.html import render_html
from mastodon_update_check.messages.message import Message, MessageType
from mastodon_update_check.messages.payload import build_payload
from mastodon_update_check.messages.plain import render_text
from mastodon_update_check.messages.release_content import write_update_content
from mastodon_update_check.messages.release_parts import order_updates
from mastodon_update_check.messages.tool_content import write_tool_content
from mastodon_update_check.messages.translation import ENGLISH, NO_BREAK

_TYPES: dict[type[Notice], MessageType] = {
    UpdateNotice: MessageType.UPDATE_AVAILABLE,
    ReminderNotice: MessageType.UPDATE_REMINDER,
    InstalledNotice: MessageType.UPDATE_INSTALLED,
    SupportNotice: MessageType.SUPPORT_ENDING,
    CheckFailingNotice: MessageType.CHECK_FAILING,
    CheckRecoveredNotice: MessageType.CHECK_RECOVERED,
    DeliveryFailingNotice: MessageType.DELIVERY_FAILING,
    RestartNotice: MessageType.RESTART_DUE,
    MigrationsPendingNotice: MessageType.MIGRATIONS_PENDING,
    ServicesOutdatedNotice: MessageType.RESTART_DUE,
}


def compose(
    *,
    id: str,  # noqa: A002 - a message's field is called so
    recipient: Recipient,
    notices: Sequence[Notice],
    created_at: datetime,
    context: MessageContext,
    dated_at: datetime | None = None,
) -> Message:
    """Compose one message from at least one notice; the notices are of one type, or one tool notice.

    A message is in one language: English, if the recipient's catalogue lacks a sentence.
    """
    try:
        content = _write(notices, recipient, context, id)
    except UntranslatedError:
        content = _write(notices, recipient, replace(context, translation=ENGLISH), id)
    content = replace(content, footer_url=context.preferences_url)
    main = _main_notice(notices, context)
    kind = _TYPES[type(main.about if isinstance(main, UpgradeFinishedNotice) else main)]
    return Message(
        id=id,
        type=kind,
        instance=context.instance,
        recipient=recipient,
        created_at=created_at,
        dated_at=dated_at or created_at,
        urgent=content.is_urgent,
        thread=hashlib.sha256(f"{context.instance}\n{subject(main)}".encode()).hexdigest()[:32],
        subject=content.subject.replace(NO_BREAK, " "),
        text=render_text(content),
        html=render_html(content),
        payload=build_payload(kind, created_at, notices, context, is_urgent=content.is_urgent),
        devops_users=context.devops_users,
        language=content.language,
    )


def _main_notice(notices: Sequence[Notice], context: MessageContext) -> Notice:
    """Return the notice that gives the message its name: of several updates the one that matters most."""
    branch = context.knowledge.installed.branch if context.knowledge.installed else ""
    by_update = {update.version: notice for notice in notices if (update := _update_of(notice)) is not None}
    updates = [update for notice in by_update.values() if (update := _update_of(notice)) is not None]
    return by_update[order_updates(updates, branch)[0].version] if updates else notices[0]


def _update_of(notice: Notice) -> UpdateNotice | None:
    if isinstance(notice, ReminderNotice | InstalledNotice):
        return notice.update
    return notice if isinstance(notice, UpdateNotice) else None


def _write(notices: Sequence[Notice], recipient: Recipient, context: MessageContext, id_: str) -> Content:
    main = _main_notice(notices, context)
    footer = write_footer(recipient, main, context, id_)
    match main:
        case UpdateNotice() | SupportNotice():
            updates = [notice for notice in notices if isinstance(notice, UpdateNotice)]
            support = next((notice for notice in notices if isinstance(notice, SupportNotice)), None)
            return write_update_content(updates, support, context, footer)
        case ReminderNotice():
            return write_reminder_content([one for one in notices if isinstance(one, ReminderNotice)], context, footer)
        case InstalledNotice():
            return write_installed_content(
                [one for one in notices if isinstance(one, InstalledNotice)], context, footer
            )
        case _:
            return write_tool_content(main, context, footer)
