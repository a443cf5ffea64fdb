"""The JSON form in which the ledger stores a notice."""

from collections.abc import Callable
from datetime import date, datetime
from typing import Any

from mastodon_update_check.domain.notices import (
    CheckFailingNotice,
    CheckRecoveredNotice,
    DeliveryFailingNotice,
    FollowUp,
    InstalledNotice,
    MigrationsPendingNotice,
    Notice,
    ReminderNotice,
    RestartNotice,
    ServicesOutdatedNotice,
    SupportNotice,
    SupportStage,
    ToolNotice,
    UpdateNotice,
    UpdateType,
    UpgradeFinishedNotice,
)
from mastodon_update_check.domain.versions import MastodonVersion


def to_json(notice: Notice) -> dict[str, Any]:
    """Return the form in which the ledger keeps a notice; `from_json` reads it back."""
    match notice:
        case UpdateNotice():
            ends_on = notice.end_of_support_on
            return {
                "kind": "update",
                "version": notice.version.stored,
                "urgent": notice.urgent,
                "type": notice.type,
                "release_notes": notice.release_notes,
                "end_of_support": ends_on.isoformat() if ends_on else None,
            }
        case SupportNotice():
            return {
                "kind": "support",
                "branch": notice.branch,
                "ends_on": notice.ends_on.isoformat(),
                "stage": notice.stage,
            }
        case _:
            plain = {_STORED.get(name, name): _plain(getattr(notice, name)) for name in type(notice).__slots__}
            return {"kind": _KINDS[type(notice)], **plain}


def _plain(value: object) -> object:
    if isinstance(value, UpdateNotice | MigrationsPendingNotice | ServicesOutdatedNotice):
        return to_json(value)
    return value.isoformat() if isinstance(value, datetime) else getattr(value, "stored", value)


def from_json(data: dict[str, Any]) -> Notice:
    """Read back what `to_json` wrote."""
    kind = data["kind"]
    if kind == "update":
        ends_on = data["end_of_support"]
        return UpdateNotice(
            version=MastodonVersion.parse(data["version"]),
            urgent=data["urgent"],
            type=UpdateType(data["type"]) if data["type"] else None,
            release_notes=data["release_notes"],
            end_of_support_on=date.fromisoformat(ends_on) if ends_on else None,
        )
    if kind == "support":
        return SupportNotice(
            branch=data["branch"], ends_on=date.fromisoformat(data["ends_on"]), stage=SupportStage(data["stage"])
        )
    names = {stored: name for name, stored in _STORED.items()}
    values: dict[str, Any] = {
        names.get(key, key): _READ[key](value) if key in _READ else value
        for key, value in data.items()
        if key != "kind"
    }
    return _BY_KIND[kind](**values)


_BY_KIND: dict[str, type[ToolNotice | FollowUp]] = {
    "reminder": ReminderNotice,
    "installed": InstalledNotice,
    "check_failing": CheckFailingNotice,
    "check_recovered": CheckRecoveredNotice,
    "delivery_failing": DeliveryFailingNotice,
    "restart": RestartNotice,
    "migrations_pending": MigrationsPendingNotice,
    "services_outdated": ServicesOutdatedNotice,
    "upgrade_finished": UpgradeFinishedNotice,
}
_STORED = {"notified_at": "told_at"}
"""Fields that are stored under the name of an earlier release."""
_KINDS: dict[type[Notice], str] = {value: key for key, value in _BY_KIND.items()}
_READ: dict[str, Callable[[Any], object]] = {
    "update": from_json,
    "told_at": datetime.fromisoformat,
    "started_at": datetime.fromisoformat,
    "recovered_at": datetime.fromisoformat,
    "tree": MastodonVersion.parse,
    "running": MastodonVersion.parse,
    "version": MastodonVersion.parse,
    "migrations": tuple,
    "services": tuple,
    "about": from_json,
    "ended_at": datetime.fromisoformat,
}
