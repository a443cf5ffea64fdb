"""The identity and the subject of each notice, and which notices make others superfluous.

A recipient gets each identity once: `update/4.5.20/urgent`. A subject is what several identities are about:
`update/4.5.20`. Both are stored in the ledger, so their spelling never changes.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import assert_never

from mastodon_update_check.domain import notices
from mastodon_update_check.errors import Cause

SMALL_DATE_MOVE = timedelta(days=30)
"""A support date that moves by less than this within a stage is not notified again."""
MOST_DATES = 3
"""Dates of one stage that a recipient is notified of in `DATES_WITHIN`: an update server may move it at each check."""
DATES_WITHIN = timedelta(days=30)
_STAGES = tuple(notices.SupportStage)


def subject(notice: notices.Notice) -> str:
    """Return what the notice is about; notices with the same subject replace or follow each other."""
    return _parts(notice)[0]


def identity(notice: notices.Notice) -> str:
    """Return the key by which a recipient gets a notice once: its subject, and what tells it from others about it."""
    return "/".join(filter(None, _parts(notice)))


def _parts(notice: notices.Notice) -> tuple[str, str]:
    match notice:
        case notices.UpdateNotice():
            return f"update/{notice.version.name}", "urgent" if notice.urgent else "plain"
        case notices.ReminderNotice():
            about, urgency = _parts(notice.update)
            return about, f"{urgency}/reminder/{notice.number}"
        case notices.InstalledNotice():
            return subject(notice.update), "installed"
        case notices.SupportNotice():
            return f"support/{notice.branch}", f"{notice.ends_on.isoformat()}/{notice.stage}"
        case _:
            return _parts_of_tool_notice(notice)


def _parts_of_tool_notice(notice: notices.ToolNotice) -> tuple[str, str]:
    match notice:
        case notices.CheckFailingNotice():
            topic = "settings" if notice.cause == Cause.SETTINGS else "check"
            return f"{topic}/{_stamp(notice.started_at)}", str(notice.stage)
        case notices.CheckRecoveredNotice():
            return f"check/{_stamp(notice.started_at)}", "recovered"
        case notices.DeliveryFailingNotice():
            return f"delivery/{notice.sink}/{_stamp(notice.started_at)}", str(notice.stage)
        case notices.RestartNotice():
            return f"restart/{notice.tree.name}/{notice.running.name}", ""
        case notices.MigrationsPendingNotice():
            return f"migrations/{notice.version.name}/{notice.newest}", ""
        case notices.ServicesOutdatedNotice():
            return f"restart/{notice.version.name}/services", ""
        case notices.UpgradeFinishedNotice():
            return subject(notice.about), "finished"
        case _:
            assert_never(notice)


def _stamp(instant: datetime) -> str:
    return instant.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")


def is_covered_by(notice: notices.Notice, notified: notices.Notice) -> bool:
    """Return whether a recipient of `notified` does not need `notice` any more."""
    match notice, notified:
        case notices.UpdateNotice(), notices.UpdateNotice():
            return notified.version == notice.version and (notified.urgent or not notice.urgent)
        case notices.SupportNotice(), notices.SupportNotice() if notified.branch == notice.branch:
            if notified.ends_on == notice.ends_on:
                return _STAGES.index(notified.stage) >= _STAGES.index(notice.stage)
            return notified.stage is notice.stage and abs(notified.ends_on - notice.ends_on) < SMALL_DATE_MOVE
        case _:
            return identity(notice) == identity(notified)


def has_moved_too_often(notice: notices.Notice, notified: Iterable[notices.Notice]) -> bool:
    """Return whether a recipient of these recent notices waits before the next date of this stage of support."""
    if not isinstance(notice, notices.SupportNotice):
        return False
    stage = (notice.branch, notice.stage)
    support = (one for one in notified if isinstance(one, notices.SupportNotice))
    return len({one.ends_on for one in support if (one.branch, one.stage) == stage}) >= MOST_DATES


def covered_identities(notified: notices.Notice) -> tuple[str, ...]:
    """Return the identities of other notices that a recipient of `notified` does not need any more."""
    match notified:
        case notices.UpdateNotice(urgent=True):
            return (identity(replace(notified, urgent=False)),)
        case notices.SupportNotice():
            earlier = _STAGES[: _STAGES.index(notified.stage)]
            return tuple(identity(replace(notified, stage=stage)) for stage in earlier)
        case _:
            return ()
