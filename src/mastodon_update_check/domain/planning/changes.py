"""The changes of open rows whose notice is outdated or unwanted: they are cancelled or superseded."""

from collections.abc import Iterable, Sequence

from mastodon_update_check.domain import notices
from mastodon_update_check.domain.identities import identity, is_covered_by, subject
from mastodon_update_check.domain.outbox import Change, Delivery
from mastodon_update_check.domain.planning.facts import Facts
from mastodon_update_check.domain.planning.follow_ups import is_outdone, is_reminded_of, reminder_number
from mastodon_update_check.domain.recipients import Reason, wants
from mastodon_update_check.domain.server.installed import is_settled


def find_changes(rows: Iterable[Delivery], facts: Facts) -> Iterable[Change]:
    """Give the change of each open row that does not stay as it is."""
    for row in rows:
        if row.is_open and (reason := _outdated(row.notice, facts) or _unwanted(row, facts)):
            yield row.change(reason)


def find_doubles(notified: Sequence[Delivery], facts: Facts) -> Iterable[Change]:
    """Cancel open rows of former recipients whose address belongs to a recipient who has got the same notice."""
    known: dict[str, list[notices.Notice]] = {}
    for row in notified:
        known.setdefault(row.recipient_key, []).append(row.notice)
    for row in notified:
        heir = facts.find_recipient(row) if row.is_open else None
        if heir is None or heir.key == row.recipient_key:
            continue
        if any(is_covered_by(row.notice, notice) for notice in known.get(heir.key, ())):
            yield row.change(Reason.COVERED)


def _outdated(notice: notices.Notice, facts: Facts) -> Reason | None:
    """Return why the notice is not true any more, by positive evidence; None while it may be."""
    match notice:
        case notices.UpdateNotice():
            return _outdated_update(notice, facts)
        case notices.ReminderNotice():
            return _outdated_update(notice.update, facts) or _outdated_reminder(notice, facts)
        case notices.InstalledNotice() if not facts.closure.admit(notice.update):
            return Reason.FOLLOW_UPS_OFF
        case notices.InstalledNotice():
            is_older = facts.installed is not None and facts.installed < notice.update.version
            return Reason.NOT_INSTALLED if is_older or not is_settled(facts.known, facts.now) else None
        case notices.SupportNotice():
            return _outdated_support(notice, facts)
        case _:  # every true tool notice is among the facts, so one that is missing is over
            about = [now for now in facts.tool_notices if subject(now) == subject(notice)]
            is_true = any(identity(now) == identity(notice) for now in about)
            return None if is_true else Reason.LATER_STAGE if about else Reason.OVER


def _outdated_update(notice: notices.UpdateNotice, facts: Facts) -> Reason | None:
    if facts.installed is None:
        return None
    if notice.version <= facts.installed:
        return Reason.INSTALLED
    if notice.version.is_prerelease and not facts.installed.is_prerelease:
        return Reason.PRERELEASE
    if facts.known.is_skipped(notice):
        return Reason.SKIPPED
    if facts.feed is None:
        return None
    now = facts.update_to.get(notice.version)
    if now is None:
        return Reason.WITHDRAWN if facts.feed.is_complete else None
    if now.urgent == notice.urgent:
        return None
    return Reason.URGENCY_ROSE if now.urgent else Reason.URGENCY_FELL


def _outdated_reminder(notice: notices.ReminderNotice, facts: Facts) -> Reason | None:
    if not facts.reminders.admit(notice.update):
        return Reason.FOLLOW_UPS_OFF
    if facts.known.is_silenced(notice.update, facts.now):
        return Reason.SKIPPED
    if notice.update.version not in facts.update_to:
        return None
    if not is_reminded_of(notice.update, facts):
        return Reason.NOT_TO_ACT_ON
    return Reason.LATER_STAGE if reminder_number(facts.now - notice.notified_at) > notice.number else None


def _outdated_support(notice: notices.SupportNotice, facts: Facts) -> Reason | None:
    if facts.installed is None:
        return None
    if notice.branch != facts.installed.branch:
        return Reason.BRANCH_LEFT
    if facts.feed is None or facts.feed.ends_on is None:
        return None
    now = facts.support
    if now is None or now.ends_on != notice.ends_on:
        return Reason.DATE_MOVED  # another notice has the date that holds now
    return None if is_covered_by(now, notice) else Reason.LATER_STAGE


def _unwanted(row: Delivery, facts: Facts) -> Reason | None:
    """Return why its recipient is not notified any more; None while it may be."""
    if facts.may_return(row):
        return None
    recipient, notice = facts.find_recipient(row), row.notice
    if recipient is None:
        return Reason.RECIPIENT_GONE
    if isinstance(notice, notices.UpdateNotice):
        notice = facts.update_to.get(notice.version, notice)
    if isinstance(notice, notices.ReminderNotice) and is_outdone(notice.update, recipient, facts):
        return Reason.LATER_STAGE
    return None if wants(recipient, notice).notifies else Reason.PREFERENCE_LOWERED
