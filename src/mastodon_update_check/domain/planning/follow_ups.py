"""Notices that follow an update notice: reminders while it is not installed, and closure once it is.

The first three reminders come 1, 3 and 7 days after that recipient's own message was accepted, further ones weekly. Of
those that were missed meanwhile only the latest is sent.
"""

from collections.abc import Iterable, Sequence
from datetime import timedelta

from mastodon_update_check.domain.identities import is_covered_by
from mastodon_update_check.domain.notices import FollowUp, InstalledNotice, ReminderNotice, UpdateNotice
from mastodon_update_check.domain.outbox import Delivery
from mastodon_update_check.domain.planning.facts import Facts, History
from mastodon_update_check.domain.recipients import FollowUps, Recipient, wants
from mastodon_update_check.domain.server.installed import is_settled
from mastodon_update_check.domain.server.problems import count_due

FIRST_REMINDERS = (timedelta(days=1), timedelta(days=3), timedelta(days=7))


def reminder_number(elapsed: timedelta) -> int:
    """Return which reminder is the latest that is due; 0 while none is."""
    return count_due(elapsed, FIRST_REMINDERS)


def is_reminded_of(update: UpdateNotice, facts: Facts) -> bool:
    """Return whether the settings ask for reminders of `update`: by default of urgent ones that are to be acted on."""
    if not facts.reminders.admit(update) or facts.known.is_silenced(update, facts.now):
        return False
    return facts.reminders is FollowUps.ALL or update.version in facts.to_act_on


def is_outdone(update: UpdateNotice, recipient: Recipient, facts: Facts) -> bool:
    """Return whether a newer release of the same branch, no less urgent, has the reminders that the recipient wants."""
    return any(
        newer.version.branch == update.version.branch
        and newer.version > update.version
        and (newer.urgent or not update.urgent)
        and not facts.known.is_skipped(newer)
        and wants(recipient, newer).notifies
        for newer in facts.updates
    )


def due_follow_ups(facts: Facts, recipient: Recipient, history: History) -> Iterable[FollowUp]:
    """Return the follow-ups that are true now, whether or not the recipient got them before."""
    notified = history.find(recipient)
    yield from _due_reminders(facts, recipient, notified)
    if is_settled(facts.known, facts.now):
        yield from _closures(facts, recipient, notified)


def _due_reminders(facts: Facts, recipient: Recipient, notified: Sequence[Delivery]) -> Iterable[ReminderNotice]:
    """Return reminders of updates that this check has found: one that may have been withdrawn has none."""
    for update in facts.updates:
        if not is_reminded_of(update, facts) or is_outdone(update, recipient, facts):
            continue
        about = (row for row in notified if isinstance(row.notice, UpdateNotice) and is_covered_by(update, row.notice))
        notified_at = max((row.notified_at for row in about if row.notified_at is not None), default=None)
        if notified_at is None:
            continue
        number = reminder_number(facts.now - notified_at)
        reminder = ReminderNotice(update=update, number=number, notified_at=notified_at)
        if number and not _had_it(reminder, notified):
            yield reminder


def _had_it(reminder: ReminderNotice, notified: Sequence[Delivery]) -> bool:
    """Return whether the recipient got this reminder, or a later one, as when the clock was set back since.

    One sent while the release was urgent counts now that it is not.
    """
    return any(
        isinstance(row.notice, ReminderNotice)
        and row.notice.update.version == reminder.update.version
        and row.notice.number >= reminder.number
        and (row.notice.update.urgent or not reminder.update.urgent)
        for row in notified
    )


def _closures(facts: Facts, recipient: Recipient, notified: Sequence[Delivery]) -> Iterable[InstalledNotice]:
    """Return one for each notified update that is installed or outdated; by mail only for those notified as urgent."""
    closed: dict[str, UpdateNotice] = {}
    for row in notified:
        update = row.notice
        if facts.installed is None or row.notified_at is None or not isinstance(update, UpdateNotice):
            continue
        if (
            update.version <= facts.installed
            and facts.closure.admit(update)
            and (update.urgent or not recipient.address)
        ):
            name = update.version.name
            closed[name] = update if update.urgent else closed.get(name, update)
    for update in sorted(closed.values(), key=lambda update: update.version):
        yield InstalledNotice(update=update)
