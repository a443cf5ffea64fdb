"""The notices; `kind` is stored with each, `event` is the type of its messages."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import ClassVar, Self

from mastodon_update_check.domain.stored_json import NAME
from mastodon_update_check.domain.versions import MastodonVersion


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

    @classmethod
    def at(cls, now: datetime, ends_on: date) -> Self | None:
        """Return the stage at `now` by Mastodon's rules: `ends_on` is its midnight in UTC; ended begins a day later."""
        now = now.astimezone(UTC)
        if ends_on < now.date():
            return cls.ENDED
        midnight = datetime.combine(ends_on, time.min, UTC)
        if midnight < now + timedelta(weeks=2):
            return cls.TWO_WEEKS
        return cls.THREE_MONTHS if midnight < _months_later(now, 3) else None


def _months_later(instant: datetime, months: int) -> datetime:
    """Add calendar months; a day that the month lacks becomes its last day, as ActiveSupport does."""
    year, month = divmod(instant.year * 12 + instant.month - 1 + months, 12)
    first = instant.replace(year=year, month=month + 1, day=1)
    last_day = ((first + timedelta(days=31)).replace(day=1) - timedelta(days=1)).day
    return first.replace(day=min(instant.day, last_day))


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateNotice:
    """A release that is newer than the installed one."""

    kind: ClassVar = "update"
    event: ClassVar = "update.available"
    version: MastodonVersion
    urgent: bool = False
    type: UpdateType | None = None
    """None: the update server did not say, or said something unknown."""
    release_notes: str = ""
    end_of_support_on: date | None = field(default=None, metadata={NAME: "end_of_support"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ReminderNotice:
    """An update that one recipient was notified of is still not installed."""

    kind: ClassVar = "reminder"
    event: ClassVar = "update.reminder"
    update: UpdateNotice
    number: int
    notified_at: datetime = field(metadata={NAME: "told_at"})
    """When the recipient's own message about it was accepted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InstalledNotice:
    """An update that one recipient was notified of is installed, or a newer version is."""

    kind: ClassVar = "installed"
    event: ClassVar = "update.installed"
    update: UpdateNotice


@dataclass(frozen=True, slots=True, kw_only=True)
class SupportNotice:
    """Support of the installed branch ends, or has ended."""

    kind: ClassVar = "support"
    event: ClassVar = "support.ending"
    branch: str
    ends_on: date
    stage: SupportStage

    @classmethod
    def at(cls, now: datetime, installed: MastodonVersion | None, ends_on: date | None) -> Self | None:
        """Return the notice that is true at `now`; None without a version or a date."""
        stage = SupportStage.at(now, ends_on) if ends_on else None
        if installed is None or ends_on is None or stage is None:
            return None
        return cls(branch=installed.branch, ends_on=ends_on, stage=stage)


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckFailingNotice:
    """Checks have been failing since `started_at`; `stage` counts the notices of one outage from 0."""

    kind: ClassVar = "check_failing"
    event: ClassVar = "check.failing"
    started_at: datetime
    stage: int
    cause: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckRecoveredNotice:
    """Checks work again, after an outage that was notified."""

    kind: ClassVar = "check_recovered"
    event: ClassVar = "check.recovered"
    started_at: datetime
    recovered_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryFailingNotice:
    """A sink has not accepted anything since `started_at`; delivered by the other sinks."""

    kind: ClassVar = "delivery_failing"
    event: ClassVar = "delivery.failing"
    sink: str
    started_at: datetime
    stage: int
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RestartNotice:
    """The tree holds another version than the one that runs."""

    kind: ClassVar = "restart"
    event: ClassVar = "restart.due"
    tree: MastodonVersion
    running: MastodonVersion


@dataclass(frozen=True, slots=True, kw_only=True)
class MigrationsPendingNotice:
    """The database has not run migrations that are in the tree."""

    kind: ClassVar = "migrations_pending"
    event: ClassVar = "migrations.pending"
    version: MastodonVersion
    migrations: tuple[str, ...]
    newest: str
    """The newest migration that has been seen pending; it stays when only older ones are left."""
    started_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ServicesOutdatedNotice:
    """Sidekiq or streaming services were started before the tree changed."""

    kind: ClassVar = "services_outdated"
    event: ClassVar = "restart.due"
    version: MastodonVersion
    services: tuple[str, ...]
    started_at: datetime


UnfinishedNotice = MigrationsPendingNotice | ServicesOutdatedNotice
"""Notices of a part of an upgrade that was left to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UpgradeFinishedNotice:
    """No migrations are pending any more, or no services outdated."""

    kind: ClassVar = "upgrade_finished"
    about: UnfinishedNotice
    ended_at: datetime


ToolNotice = (
    CheckFailingNotice
    | CheckRecoveredNotice
    | DeliveryFailingNotice
    | RestartNotice
    | UnfinishedNotice
    | UpgradeFinishedNotice
)
"""Notices for the operator, about this tool or an unfinished upgrade."""
FollowUp = ReminderNotice | InstalledNotice
"""Notices that follow an update notice; whether one is due depends on the recipient."""
Notice = UpdateNotice | FollowUp | SupportNotice | ToolNotice


def is_urgent(notice: Notice) -> bool:
    """Return whether it cannot wait: an urgent update, or a branch that is out of support."""
    match notice:
        case UpdateNotice():
            return notice.urgent
        case ReminderNotice():
            return notice.update.urgent
        case SupportNotice():
            return notice.stage is SupportStage.ENDED
        case _:
            return False
