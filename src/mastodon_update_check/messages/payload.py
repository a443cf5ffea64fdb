"""The JSON body of a message: `{"type", "timestamp", "data"}` (Standard Webhooks 1.0.0; DESIGN.md, section 7)."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime

from mastodon_update_check.domain.notice_json import to_json
from mastodon_update_check.domain.notices import (
    InstalledNotice,
    Notice,
    ReminderNotice,
    SupportNotice,
    ToolNotice,
    UpdateNotice,
)
from mastodon_update_check.domain.routes import find_route
from mastodon_update_check.domain.versions import MastodonVersion
from mastodon_update_check.messages.context import MessageContext
from mastodon_update_check.messages.message import MessageType
from mastodon_update_check.messages.release_parts import RELEASES_SHOWN, order_updates


def build_payload(
    kind: MessageType, created_at: datetime, notices: Sequence[Notice], context: MessageContext, *, is_urgent: bool
) -> dict[str, object]:
    """Build the body; `data` has the same keys for every type.

    Besides these it has `reminders` in a reminder, whose updates come first though they are not new; `closed` when
    something was installed; `notice` for a tool notice.
    """
    installed = context.knowledge.installed
    reminders = [notice for notice in notices if isinstance(notice, ReminderNotice)]
    new = [notice for notice in notices if isinstance(notice, UpdateNotice)]
    closed = [notice.update for notice in notices if isinstance(notice, InstalledNotice)]
    pending = context.knowledge.unskipped()
    support = next((notice for notice in notices if isinstance(notice, SupportNotice)), None)
    tool = next((notice for notice in notices if isinstance(notice, ToolNotice)), None)
    data: dict[str, object] = {
        "instance": context.instance,
        "installed_version": installed.text if installed else None,
        "urgent": is_urgent,
        "updates": _list_reminded(pending, reminders, installed)
        if reminders
        else list_updates(pending, new, installed),
        "support": describe_support(
            context.knowledge.support_ends_on, support or context.knowledge.support_at(context.now), installed
        ),
        "route": list(find_route(installed, context.knowledge.pending())) if installed else [],
    }
    if reminders:
        data["reminders"] = [_describe_reminder(reminder) for reminder in reminders]
    if closed:
        data["closed"] = [{"version": str(update.version), "urgent": update.urgent} for update in closed]
    if tool is not None:
        data["notice"] = to_json(tool)
    return {
        "type": str(kind),
        "timestamp": _timestamp(created_at),
        "data": data,
    }


def _timestamp(instant: datetime) -> str:
    return instant.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _list_reminded(
    pending: Sequence[UpdateNotice], reminders: Sequence[ReminderNotice], installed: MastodonVersion | None
) -> list[Mapping[str, object]]:
    about = list_updates(pending, [reminder.update for reminder in reminders], installed)
    return [{**update, "new": False} for update in about]


def _describe_reminder(reminder: ReminderNotice) -> Mapping[str, object]:
    return {
        "version": str(reminder.update.version),
        "number": reminder.number,
        "told_at": _timestamp(reminder.told_at),
    }


def list_updates(
    pending: Sequence[UpdateNotice], new: Sequence[UpdateNotice], installed: MastodonVersion | None
) -> list[Mapping[str, object]]:
    """Describe what is new for a recipient, then what else is pending: at most 20, urgent ones first."""
    fresh = {update.version: update for update in new}
    branch = installed.branch if installed else ""
    others = [update for update in pending if update.version not in fresh]
    ordered = [*order_updates(new, branch), *order_updates(others, branch)]
    return [describe_update(update, is_new=update.version in fresh) for update in ordered[:RELEASES_SHOWN]]


def describe_update(update: UpdateNotice, *, is_new: bool) -> Mapping[str, object]:
    """Describe one update."""
    ends_on = update.end_of_support_on
    return {
        "version": str(update.version),
        "type": str(update.type) if update.type else None,
        "urgent": update.urgent,
        "release_notes": update.release_notes or None,
        "end_of_support": ends_on.isoformat() if ends_on else None,
        "branch": update.version.branch,
        "new": is_new,
    }


def describe_support(
    ends_on: date | None, notice: SupportNotice | None, installed: MastodonVersion | None
) -> Mapping[str, object] | None:
    """Describe until when the installed branch is supported; None when that is not known."""
    if notice is not None:
        return {"branch": notice.branch, "end_of_support": notice.ends_on.isoformat(), "stage": str(notice.stage)}
    if ends_on is None or installed is None:
        return None
    return {"branch": installed.branch, "end_of_support": ends_on.isoformat(), "stage": None}
