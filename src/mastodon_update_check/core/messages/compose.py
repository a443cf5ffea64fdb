"""From notices to a message: subject, text, HTML, JSON body, for one recipient."""

import hashlib
from collections.abc import Callable, Sequence
from datetime import datetime

from mastodon_update_check.core.messages.footer import write_footer
from mastodon_update_check.core.messages.html import render_html
from mastodon_update_check.core.messages.letter import Letter
from mastodon_update_check.core.messages.message import Message, MessageType
from mastodon_update_check.core.messages.payload import build_payload
from mastodon_update_check.core.messages.plain import render_text
from mastodon_update_check.core.messages.release_letter import order_updates, write_release_letter
from mastodon_update_check.core.messages.surroundings import Surroundings
from mastodon_update_check.core.messages.tool_letter import write_tool_letter
from mastodon_update_check.core.notices import (
    CheckFailingNotice,
    CheckRecoveredNotice,
    DeliveryFailingNotice,
    Notice,
    RestartNotice,
    SupportNotice,
    ToolNotice,
    UpdateNotice,
    subject,
)
from mastodon_update_check.core.recipients import Recipient

_TOOL_TYPES: dict[type[ToolNotice], MessageType] = {
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
    around: Surroundings,
    confirm_claim: Callable[[], None],
) -> Message:
    """Compose one message of at least one notice; the notices are either about releases or one about this tool."""
    main = _main_notice(notices, around)
    letter = _write(notices, main, around, write_footer(recipient, main, around, id))
    kind = _message_type(main)
    return Message(
        id=id,
        type=kind,
        instance=around.instance,
        recipient=recipient,
        created_at=created_at,
        urgent=letter.is_urgent,
        thread=hashlib.sha256(f"{around.instance}\n{subject(main)}".encode()).hexdigest()[:32],
        subject=letter.subject,
        text=render_text(letter),
        html=render_html(letter),
        payload=build_payload(kind, created_at, notices, around, is_urgent=letter.is_urgent),
        devops_users=around.devops_users,
        confirm_claim=confirm_claim,
    )


def _main_notice(notices: Sequence[Notice], around: Surroundings) -> Notice:
    branch = around.knowledge.installed.branch if around.knowledge.installed else ""
    updates = order_updates([notice for notice in notices if isinstance(notice, UpdateNotice)], branch)
    return updates[0] if updates else notices[0]


def _message_type(main: Notice) -> MessageType:
    if isinstance(main, UpdateNotice):
        return MessageType.UPDATE_AVAILABLE
    return MessageType.SUPPORT_ENDING if isinstance(main, SupportNotice) else _TOOL_TYPES[type(main)]


def _write(notices: Sequence[Notice], main: Notice, around: Surroundings, foot: str) -> Letter:
    if isinstance(main, UpdateNotice | SupportNotice):
        updates = [notice for notice in notices if isinstance(notice, UpdateNotice)]
        support = next((notice for notice in notices if isinstance(notice, SupportNotice)), None)
        return write_release_letter(updates, support, around, foot)
    return write_tool_letter(main, around, foot)
