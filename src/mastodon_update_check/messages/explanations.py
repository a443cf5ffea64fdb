"""Names of notices and reasons of decisions, as `explain` prints them."""

import shlex
from collections.abc import Iterator
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
from mastodon_update_check.domain.reasons import Reason
from mastodon_update_check.domain.recipients import Preference, Recipient
from mastodon_update_check.domain.server.state import ServerState
from mastodon_update_check.domain.text import clean
from mastodon_update_check.errors import Cause
from mastodon_update_check.messages.content import instant, long_date

MIGRATE = "RAILS_ENV=production bundle exec rails db:migrate"
_WORDS = {
    Reason.URGENT_UPDATE: "it is urgent, and urgent releases are wanted",
    Reason.PATCH_UPDATE: "it is a patch, and patches are wanted",
    Reason.ANY_UPDATE: "every release is wanted",
    Reason.SUPPORT_ENDS: "warnings of the end of support are wanted",
    Reason.OPERATOR: "the operator is notified of problems with this tool",
    Reason.REMINDER: "a notice was sent, and it is still not installed",
    Reason.MARKED_AT_SETUP: "it was marked as sent without sending it (`setup`, or `check --mark`)",
    Reason.CLOSURE: "a notice was sent, and it is installed now",
    Reason.PREFERENCE_NONE: "no releases are wanted (the setting is none)",
    Reason.BELOW_PREFERENCE: "it is less than what is wanted",
    Reason.SUPPORT_WARNINGS_OFF: "warnings of the end of support are switched off",
    Reason.NOT_OPERATOR: "this is for the operator alone",
    Reason.OWN_SINK_FAILS: "it is about this very sink",
    Reason.ALREADY_TOLD: "already sent",
    Reason.ALREADY_PLANNED: "planned, and not delivered yet",
    Reason.NOT_TOLD_OF_OUTAGE: "not notified of the failure, so not of its end",
    Reason.INSTALLED: "it was installed first",
    Reason.WITHDRAWN: "the update server did not list it any more",
    Reason.PRERELEASE: "it is a pre-release, and none is installed any more",
    Reason.URGENCY_ROSE: "it became urgent, and a notice of that replaced this one",
    Reason.URGENCY_FELL: "it was not urgent any more",
    Reason.LATER_STAGE: "a later warning took its place",
    Reason.DATE_MOVED: "the date had moved",
    Reason.BRANCH_LEFT: "another branch was installed first",
    Reason.RECIPIENT_GONE: "the recipient is not configured any more",
    Reason.PREFERENCE_LOWERED: "it was not wanted any more",
    Reason.OVER: "it was over",
    Reason.SKIPPED: "it is skipped (`mastodon-update-check skip --undo` takes that back)",
    Reason.NOT_INSTALLED: "it was not installed any more",
    Reason.NOT_TO_ACT_ON: "there was nothing to do about it any more",
    Reason.NOT_DUE: "the clock was wrong when it was planned",
    Reason.FOLLOW_UPS_OFF: "it was switched off (UPDATE_CHECK_REMINDERS, UPDATE_CHECK_CLOSURE)",
    Reason.LEFT_BEHIND: "its message was sent without it, and another message has it",
    Reason.COVERED: "a notice sent in the meantime covers it",
}
_WANTED = {
    Preference.CRITICAL: "only urgent releases are wanted (the setting is critical)",
    Preference.PATCH: "only patches and urgent releases are wanted (the setting is patch)",
}
_STAGES = {
    SupportStage.THREE_MONTHS: "within three months",
    SupportStage.TWO_WEEKS: "within two weeks",
    SupportStage.ENDED: "has ended",
}


def explain_reason(reason: str, recipient: Recipient | None = None) -> str:
    """Say why, as the end of a sentence; a reason of a later version of this program is given as it is stored."""
    if reason == Reason.BELOW_PREFERENCE and recipient is not None and recipient.preference in _WANTED:
        return _WANTED[recipient.preference]
    known = {str(each): translation for each, translation in _WORDS.items()}
    return known.get(str(reason), str(reason).replace("_", " "))


def describe_unfinished(known: ServerState) -> Iterator[str]:
    """Say what the last upgrade has left to do."""
    if migrations := known.pending_migrations():
        verb = "migration is" if len(migrations) == 1 else "migrations are"
        yield f"{len(migrations)} {verb} pending, the newest {migrations[-1]}: run `{MIGRATE}`"
    if services := [clean(service) for service in known.outdated_services()]:
        yield f"{', '.join(services)} started before the tree changed: `systemctl restart {shlex.join(services)}`"


def name_notice(notice: Notice) -> str:
    """Call a notice by its name."""
    match notice:
        case UpdateNotice():
            return f"{notice.version} (urgent)" if notice.urgent else str(notice.version)
        case ReminderNotice():
            return f"reminder {notice.number} of {name_notice(notice.update)}"
        case InstalledNotice():
            return f"{notice.update.version} is installed"
        case SupportNotice():
            when = long_date(notice.ends_on)
            return f"the end of support for {notice.branch} on {when} ({_STAGES[notice.stage]})"
        case _:
            return _name_tool_notice(notice)


def _name_tool_notice(notice: ToolNotice) -> str:
    match notice:
        case CheckFailingNotice():
            what = "wrong settings" if notice.cause == Cause.SETTINGS else "checks failing"
            return f"{what} since {instant(notice.started_at)}"
        case CheckRecoveredNotice():
            return f"checks working again after failing since {instant(notice.started_at)}"
        case DeliveryFailingNotice():
            return f"{notice.sink} failing since {instant(notice.started_at)}"
        case RestartNotice():
            return f"a restart due: {notice.tree} is installed, {notice.running} runs"
        case MigrationsPendingNotice():
            return f"{len(notice.migrations)} migrations of {notice.version} pending"
        case ServicesOutdatedNotice():
            return f"a restart due: {', '.join(notice.services)} started before {notice.version} was installed"
        case UpgradeFinishedNotice():
            return f"the end of this: {_name_tool_notice(notice.about)}"
        case _:
            assert_never(notice)
