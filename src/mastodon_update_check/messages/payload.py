"""The JSON body of a message: `{"type", "timestamp", "data"}` (Standard Webhooks 1.0.0)."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from mastodon_update_check.domain import notices as kinds
from mastodon_update_check.domain.notices import Notice, SupportNotice, UpdateNotice
from mastodon_update_check.domain.release_details import ReleaseDetails, UpgradeStep
from mastodon_update_check.domain.routes import find_route
from mastodon_update_check.domain.server.state import ServerState
from mastodon_update_check.domain.stored_json import to_json
from mastodon_update_check.messages.content import MessageContext
from mastodon_update_check.messages.message import MessageType
from mastodon_update_check.messages.release_parts import RELEASES_SHOWN, order_updates


def build_payload(
    kind: MessageType, created_at: datetime, notices: Sequence[Notice], context: MessageContext, *, is_urgent: bool
) -> dict[str, object]:
    """Build the body; `data` has the same keys for every type.

    In addition it has `reminders` in a reminder, whose updates come first though they are not new; `closed` when
    something was installed; `notice` for a tool notice.
    """
    known = context.knowledge
    installed = known.installed
    reminders = [notice for notice in notices if isinstance(notice, kinds.ReminderNotice)]
    new = [notice for notice in notices if isinstance(notice, UpdateNotice)]
    closed = [notice.update for notice in notices if isinstance(notice, kinds.InstalledNotice)]
    support = next((notice for notice in notices if isinstance(notice, SupportNotice)), None)
    tool = next((notice for notice in notices if isinstance(notice, kinds.ToolNotice)), None)
    data: dict[str, object] = {
        "instance": context.instance,
        "installed_version": installed.text if installed else None,
        "urgent": is_urgent,
        "updates": list_updates(
            known, known.unskipped(), [one.update for one in reminders] or new, are_new=not reminders
        ),
        "support": describe_support(known, context.now, support),
        "route": list_route(known),
    }
    if reminders:
        data["reminders"] = [
            {"version": str(one.update.version), "number": one.number, "told_at": _timestamp(one.notified_at)}
            for one in reminders
        ]
    if closed:
        data["closed"] = [{"version": str(update.version), "urgent": update.urgent} for update in closed]
    if tool is not None:
        data["notice"] = to_json(tool)
    return {"type": str(kind), "timestamp": _timestamp(created_at), "data": data}


def _timestamp(instant: datetime) -> str:
    return instant.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def list_updates(
    known: ServerState, pending: Sequence[UpdateNotice], first: Sequence[UpdateNotice] = (), *, are_new: bool = True
) -> list[Mapping[str, object]]:
    """Describe the updates of a message, then the other pending ones: at most 20, urgent ones first."""
    versions = {update.version for update in first}
    branch = known.installed.branch if known.installed else ""
    others = [update for update in pending if update.version not in versions]
    ordered = [*order_updates(first, branch), *order_updates(others, branch)]
    return [
        {
            "version": str(update.version),
            "type": str(update.type) if update.type else None,
            "urgent": update.urgent,
            "release_notes": update.release_notes or None,
            "end_of_support": update.end_of_support_on.isoformat() if update.end_of_support_on else None,
            "branch": update.version.branch,
            "new": are_new and update.version in versions,
            **({"details": describe_details(details)} if (details := known.details_of(update.version)) else {}),
        }
        for update in ordered[:RELEASES_SHOWN]
    ]


def describe_details(details: ReleaseDetails) -> Mapping[str, object]:
    """Describe what a release fixes and what the upgrade takes; `null` stands for unknown."""
    fixes, requires = details.fixes, details.requires
    return {
        "fixes": None if fixes is None else [{"text": fix.text, "ids": list(fix.ids)} for fix in fixes],
        "container_only": None if fixes is None else details.is_container_only,
        "requires": None
        if requires is None
        else [
            {"name": one.name, "minimum": one.minimum, "found": one.found or None, "met": one.is_met}
            for one in requires
        ],
        "steps": {str(step): details.steps.get(step) for step in UpgradeStep},
    }


def describe_support(
    known: ServerState, now: datetime, notice: SupportNotice | None = None
) -> Mapping[str, object] | None:
    """Describe until when the installed branch is supported; None when that is not known."""
    if notice := notice or known.support_at(now):
        return {"branch": notice.branch, "end_of_support": notice.ends_on.isoformat(), "stage": str(notice.stage)}
    if known.support_ends_on is None or known.installed is None:
        return None
    return {"branch": known.installed.branch, "end_of_support": known.support_ends_on.isoformat(), "stage": None}


def list_route(known: ServerState) -> list[str]:
    """Return the upgrade route; empty when it is unknown."""
    return [*find_route(known.installed, known.pending())] if known.installed else []
