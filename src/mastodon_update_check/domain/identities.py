"""The identity and the subject of each notice, and which notices make others superfluous.

A recipient gets each identity once: `update/4.5.20/urgent`. A subject is what several identities are about:
`update/4.5.20`. Both are stored in the ledger, so their spelling never changes.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import assert_never

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
    SupportStage,
    ToolNotice,
    UpdateNotice,
    UpgradeFinishedNotice,
)
from mastodon_update_check.errors import Cause

SMALL_DATE_MOVE = timedelta(days=30)
"""A support date that moves by less than this within a stage is not notified again."""
MOST_DATES = 3
"""Dates of one stage that a recipient is notified of: an update server could move the date for ever."""
_STAGES = tuple(SupportStage)


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


def _stamp(instant: datetime) -> str:
    return instant.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")


def is_covered_by(notice: Notice, notified: Notice) -> bool:
    """Whether a recipient of `notified` does not need `notice` any more."""
    match notice, notified:
        case UpdateNotice(), UpdateNotice():
            return notified.version == notice.version and (notified.urgent or not notice.urgent)
        case SupportNotice(), SupportNotice() if notified.branch == notice.branch:
            if notified.ends_on == notice.ends_on:
                return _STAGES.index(notified.stage) >= _STAGES.index(notice.stage)
            return notified.stage is notice.stage and abs(notified.ends_on - notice.ends_on) < SMALL_DATE_MOVE
        case _:
            return identity(notice) == identity(notified)


def has_moved_too_often(notice: Notice, notified: Iterable[Notice]) -> bool:
    """Whether a recipient of `notified` has had enough dates of this stage of support."""
    if not isinstance(notice, SupportNotice):
        return False
    stage = (notice.branch, notice.stage)
    support = (one for one in notified if isinstance(one, SupportNotice))
    return len({one.ends_on for one in support if (one.branch, one.stage) == stage}) >= MOST_DATES


def covered_identities(notified: Notice) -> tuple[str, ...]:
    """Return the identities of other notices that a recipient of `notified` does not need any more."""
    match notified:
        case UpdateNotice(urgent=True):
            return (identity(replace(notified, urgent=False)),)
        case SupportNotice():
            earlier = _STAGES[: _STAGES.index(notified.stage)]
            return tuple(identity(replace(notified, stage=stage)) for stage in earlier)
        case _:
            return ()
