"""The notices, and the identity and subject of each.

A recipient gets each identity once: `update/4.5.20/urgent`. A subject is what several identities are about:
`update/4.5.20`. Both are stored in the ledger, so their spelling never changes.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import assert_never

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
    """An update that one recipient was notified of is still not installed."""

    update: UpdateNotice
    number: int
    """From 1."""
    notified_at: datetime
    """When the recipient's own message about it was accepted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InstalledNotice:
    """An update that one recipient was notified of is installed, or a newer version is."""

    update: UpdateNotice
    """As in the notice that the recipient got."""


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
    """Checks work again, after an outage that was notified."""

    started_at: datetime
    recovered_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryFailingNotice:
    """A sink has not accepted anything since `started_at`; delivered by the other sinks."""

    sink: str
    started_at: datetime
    stage: int
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RestartNotice:
    """The tree holds another version than the one that runs."""

    tree: MastodonVersion
    running: MastodonVersion


@dataclass(frozen=True, slots=True, kw_only=True)
class MigrationsPendingNotice:
    """The database has not run migrations that are in the tree."""

    version: MastodonVersion
    """Of the tree."""
    migrations: tuple[str, ...]
    """In order, 14 digits each; at least one."""
    newest: str
    """The newest migration that has been seen pending; it stays when only older ones are left."""
    started_at: datetime
    """When they were first seen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServicesOutdatedNotice:
    """Sidekiq or streaming services were started before the tree changed."""

    version: MastodonVersion
    """Of the tree."""
    services: tuple[str, ...]
    """Names of systemd units, in order; at least one."""
    started_at: datetime
    """When they were first seen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UpgradeFinishedNotice:
    """No migrations are pending any more, or no services outdated."""

    about: MigrationsPendingNotice | ServicesOutdatedNotice
    ended_at: datetime


ToolNotice = (
    CheckFailingNotice
    | CheckRecoveredNotice
    | DeliveryFailingNotice
    | RestartNotice
    | MigrationsPendingNotice
    | ServicesOutdatedNotice
    | UpgradeFinishedNotice
)
"""Notices for the operator, about this tool or an unfinished upgrade."""
FollowUp = ReminderNotice | InstalledNotice
"""Notices that follow an update notice; whether one is due depends on the recipient."""
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
        case _:
            return _tool_subject(notice)


def _tool_subject(notice: ToolNotice) -> str:
    match notice:
        case CheckFailingNotice(cause=Cause.SETTINGS):
            return f"settings/{_stamp(notice.started_at)}"
        case CheckFailingNotice() | CheckRecoveredNotice():
            return f"check/{_stamp(notice.started_at)}"
        case DeliveryFailingNotice():
            return f"delivery/{notice.sink}/{_stamp(notice.started_at)}"
        case RestartNotice():
            return f"restart/{notice.tree.name}/{notice.running.name}"
        case MigrationsPendingNotice():
            return f"migrations/{notice.version.name}/{notice.newest}"
        case ServicesOutdatedNotice():
            return f"restart/{notice.version.name}/services"
        case UpgradeFinishedNotice():
            return _tool_subject(notice.about)
        case _:
            assert_never(notice)


def identity(notice: Notice) -> str:
    """Return the key by which a recipient gets a notice once."""
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
        case UpgradeFinishedNotice():
            return f"{subject(notice)}/finished"
        case RestartNotice() | MigrationsPendingNotice() | ServicesOutdatedNotice():
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
