"""From notices to a message: subject, text, HTML, JSON body, for one recipient."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from mastodon_update_check.domain.notices import (
    CheckFailingNotice,
    CheckRecoveredNotice,
    DeliveryFailingNotice,
    InstalledNotice,
    Notice,
    ReminderNotice,
    RestartNotice,
    SupportNotice,
    UpdateNotice,
    subject,
)
from mastodon_update_check.domain.recipients import Recipient
from mastodon_update_check.errors import UntranslatedError
from mastodon_update_check.messages.content import Content
from mastodon_update_check.messages.context import MessageContext
from mastodon_update_check.messages.follow_up_content import write_installed_letter, write_reminder_letter
from mastodon_update_check.messages.footer import write_footer
from mastodon_update_check.messages.html import render_html
from mastodon_update_check.messages.message import Message, MessageType
from mastodon_update_check.messages.payload import build_payload
from mastodon_update_check.messages.plain import render_text
from mastodon_update_check.messages.release_content import write_release_letter
from mastodon_update_check.messages.release_parts import order_updates
from mastodon_update_check.messages.tool_content import write_tool_letter
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
}


def compose(
    *,
    id: str,  # noqa: A002 - a message's field is called so
    recipient: Recipient,
    notices: Sequence[Notice],
    created_at: datetime,
    around: MessageContext,
    confirm_claim: Callable[[], None],
) -> Message:
    """Compose one message of at least one notice; the notices are of one type, or one about this tool.

    It is wholly in one language: where the recipient's lacks a sentence, all of it is English.
    """
    try:
        letter = _write(notices, recipient, around, id)
    except UntranslatedError:
        letter = _write(notices, recipient, replace(around, words=ENGLISH), id)
    letter = replace(letter, footer_url=around.preferences_url)
    main = _main_notice(notices, around)
    kind = _TYPES[type(main)]
    return Message(
        id=id,
        type=kind,
        instance=around.instance,
        recipient=recipient,
        created_at=created_at,
        urgent=letter.is_urgent,
        thread=hashlib.sha256(f"{around.instance}\n{subject(main)}".encode()).hexdigest()[:32],
        subject=letter.subject.replace(NO_BREAK, " "),
        text=render_text(letter),
        html=render_html(letter),
        payload=build_payload(kind, created_at, notices, around, is_urgent=letter.is_urgent),
        devops_users=around.devops_users,
        language=letter.language,
        confirm_claim=confirm_claim,
    )


def _main_notice(notices: Sequence[Notice], around: MessageContext) -> Notice:
    """Return the notice that gives the message its name: of several updates the one that matters most."""
    branch = around.knowledge.installed.branch if around.knowledge.installed else ""
    by_update = {update.version: notice for notice in notices if (update := _update_of(notice)) is not None}
    updates = [update for notice in by_update.values() if (update := _update_of(notice)) is not None]
    return by_update[order_updates(updates, branch)[0].version] if updates else notices[0]


def _update_of(notice: Notice) -> UpdateNotice | None:
    if isinstance(notice, ReminderNotice | InstalledNotice):
        return notice.update
    return notice if isinstance(notice, UpdateNotice) else None


def _write(notices: Sequence[Notice], recipient: Recipient, around: MessageContext, id_: str) -> Content:
    main = _main_notice(notices, around)
    foot = write_footer(recipient, main, around, id_)
    match main:
        case UpdateNotice() | SupportNotice():
            updates = [notice for notice in notices if isinstance(notice, UpdateNotice)]
            support = next((notice for notice in notices if isinstance(notice, SupportNotice)), None)
            return write_release_letter(updates, support, around, foot)
        case ReminderNotice():
            return write_reminder_letter([one for one in notices if isinstance(one, ReminderNotice)], around, foot)
        case InstalledNotice():
            return write_installed_letter([one for one in notices if isinstance(one, InstalledNotice)], around, foot)
        case _:
            return write_tool_letter(main, around, foot)
