"""What there is to tell: the notices, the identity of each, and the form in which the ledger keeps them.

A notice's identity is what somebody is told once: `update/4.5.20/urgent`. Its subject is what several identities are
about: `update/4.5.20`. Both are part of the ledger and never change their spelling.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any, assert_never

from mastodon_update_check.domain.versions import MastodonVersion
from mastodon_update_check.errors import Cause


class UpdateType(StrEnum):
    """How far an update goes, by the number that changes."""

    PATCH = "patch"
    MINOR = "minor"
    MAJOR = "major"

    @classmethod
    def between(cls, installed: MastodonVersion, version: MastodonVersion) -> "UpdateType":
        """Compute what the update server did not say."""
        if installed.branch == version.branch:
            return cls.PATCH
        return cls.MINOR if installed.branch_key[0] == version.branch_key[0] else cls.MAJOR


class SupportStage(StrEnum):
    """How near the end of a branch's support is; the order of the members is the order in time."""

    THREE_MONTHS = "three_months"
    TWO_WEEKS = "two_weeks"
    ENDED = "ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateNotice:
    """A release that is newer than the installed one."""

    version: MastodonVersion
    urgent: bool = False
    type: UpdateType | None = None
    """None: the update server did not say, or said something unknown."""
    release_notes: str = ""
    end_of_support_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReminderNotice:
    """An update that one recipient was told of is still not installed."""

    update: UpdateNotice
    number: int
    """From 1."""
    told_at: datetime
    """When the recipient's own message about it was accepted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InstalledNotice:
    """An update that one recipient was told of is installed, or something newer is."""

    update: UpdateNotice
    """As it was told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SupportNotice:
    """Support of the installed branch ends, or has ended."""

    branch: str
    ends_on: date
    stage: SupportStage


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckFailingNotice:
    """Checks have been failing since `started_at`; `stage` counts the notices of one outage from 0."""

    started_at: datetime
    stage: int
    cause: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckRecoveredNotice:
    """Checks work again, after an outage that was told of."""

    started_at: datetime
    recovered_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryFailingNotice:
    """A sink has not accepted anything since `started_at`; told through the other sinks."""

    sink: str
    started_at: datetime
    stage: int
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RestartNotice:
    """The tree holds another version than the one that runs."""

    tree: MastodonVersion
    running: MastodonVersion


ToolNotice = CheckFailingNotice | CheckRecoveredNotice | DeliveryFailingNotice | RestartNotice
"""What is told to the operator, about this tool or its surroundings."""
FollowUp = ReminderNotice | InstalledNotice
"""What comes after an update was told; whether it is due depends on the recipient."""
Notice = UpdateNotice | FollowUp | SupportNotice | ToolNotice


def subject(notice: Notice) -> str:
    """Return what the notice is about; notices with the same subject replace or follow each other."""
    match notice:
        case UpdateNotice():
            return f"update/{notice.version.name}"
        case ReminderNotice() | InstalledNotice():
            return subject(notice.update)
        case SupportNotice():
            return f"support/{notice.branch}"
        case CheckFailingNotice(cause=Cause.SETTINGS):
            return f"settings/{_stamp(notice.started_at)}"
        case CheckFailingNotice() | CheckRecoveredNotice():
            return f"check/{_stamp(notice.started_at)}"
        case DeliveryFailingNotice():
            return f"delivery/{notice.sink}/{_stamp(notice.started_at)}"
        case RestartNotice():
            return f"restart/{notice.tree.name}/{notice.running.name}"
        case _:
            assert_never(notice)


def identity(notice: Notice) -> str:
    """Return what a recipient is told once (DESIGN.md, section 7)."""
    match notice:
        case UpdateNotice():
            return f"{subject(notice)}/{'urgent' if notice.urgent else 'plain'}"
        case ReminderNotice():
            return f"{identity(notice.update)}/reminder/{notice.number}"
        case InstalledNotice():
            return f"{subject(notice)}/installed"
        case SupportNotice():
            return f"{subject(notice)}/{notice.ends_on.isoformat()}/{notice.stage}"
        case CheckFailingNotice() | DeliveryFailingNotice():
            return f"{subject(notice)}/{notice.stage}"
        case CheckRecoveredNotice():
            return f"{subject(notice)}/recovered"
        case RestartNotice():
            return subject(notice)
        case _:
            assert_never(notice)


def is_urgent(notice: Notice) -> bool:
    """Whether it cannot wait: an urgent update, or a branch that is out of support."""
    match notice:
        case UpdateNotice():
            return notice.urgent
        case ReminderNotice():
            return notice.update.urgent
        case SupportNotice():
            return notice.stage is SupportStage.ENDED
        case _:
            return False


def _stamp(instant: datetime) -> str:
    return instant.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")


def to_json(notice: Notice) -> dict[str, Any]:
    """Return the form in which the ledger keeps a notice; `from_json` reads it back."""
    match notice:
        case UpdateNotice():
            ends_on = notice.end_of_support_on
            return {
                "kind": "update",
                "version": notice.version.text,
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
            plain = {name: _plain(getattr(notice, name)) for name in type(notice).__slots__}
            return {"kind": _KINDS[type(notice)], **plain}


def _plain(value: object) -> object:
    if isinstance(value, UpdateNotice):
        return to_json(value)
    return value.isoformat() if isinstance(value, datetime) else getattr(value, "text", value)


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
    values: dict[str, Any] = {
        name: _READ[name](value) if name in _READ else value for name, value in data.items() if name != "kind"
    }
    return _BY_KIND[kind](**values)


_BY_KIND: dict[str, type[ToolNotice | FollowUp]] = {
    "reminder": ReminderNotice,
    "installed": InstalledNotice,
    "check_failing": CheckFailingNotice,
    "check_recovered": CheckRecoveredNotice,
    "delivery_failing": DeliveryFailingNotice,
    "restart": RestartNotice,
}
_KINDS: dict[type[Notice], str] = {value: key for key, value in _BY_KIND.items()}
_READ: dict[str, Callable[[Any], object]] = {
    "update": from_json,
    "told_at": datetime.fromisoformat,
    "started_at": datetime.fromisoformat,
    "recovered_at": datetime.fromisoformat,
    "tree": MastodonVersion.parse,
    "running": MastodonVersion.parse,
}
