"""Names of notices and reasons of decisions, as `explain` prints them."""

import shlex
from collections.abc import Iterator

from mastodon_update_check.domain import notices
from mastodon_update_check.domain.recipients import Preference, Reason, Recipient
from mastodon_update_check.domain.server.problems import list_left
from mastodon_update_check.domain.server.state import ServerState
from mastodon_update_check.domain.text import clean
from mastodon_update_check.domain.upgrades import MIGRATE
from mastodon_update_check.messages.content import long_date
from mastodon_update_check.messages.tool_content import name_tool_notice

_WANTED = {
    Preference.CRITICAL: "only urgent releases are wanted (the setting is critical)",
    Preference.PATCH: "only patches and urgent releases are wanted (the setting is patch)",
}
_STAGES = {
    notices.SupportStage.THREE_MONTHS: "within three months",
    notices.SupportStage.TWO_WEEKS: "within two weeks",
    notices.SupportStage.ENDED: "has ended",
}


def explain_reason(reason: str, recipient: Recipient | None = None) -> str:
    """Say why, as the end of a sentence; a reason of a later version of this program is given as it is stored."""
    if reason == Reason.BELOW_PREFERENCE and recipient is not None and recipient.preference in _WANTED:
        return _WANTED[recipient.preference]
    try:
        return Reason(reason).explanation
    except ValueError:
        return reason.replace("_", " ")


def describe_unfinished(known: ServerState) -> Iterator[str]:
    """Say what the last upgrade has left to do."""
    if migrations := list_left(known.migrations):
        verb = "migration is" if len(migrations) == 1 else "migrations are"
        yield f"{len(migrations)} {verb} pending, the newest {migrations[-1]}: run `{MIGRATE}`"
    if services := [clean(service) for service in list_left(known.services)]:
        yield f"{', '.join(services)} started before the tree changed: `systemctl restart {shlex.join(services)}`"


def name_notice(notice: notices.Notice) -> str:
    """Call a notice by its name."""
    match notice:
        case notices.UpdateNotice():
            return f"{notice.version} (urgent)" if notice.urgent else str(notice.version)
        case notices.ReminderNotice():
            return f"reminder {notice.number} of {name_notice(notice.update)}"
        case notices.InstalledNotice():
            return f"{notice.update.version} is installed"
        case notices.SupportNotice():
            when = long_date(notice.ends_on)
            return f"the end of support for {notice.branch} on {when} ({_STAGES[notice.stage]})"
        case _:
            return name_tool_notice(notice)
