"""When a reminder of an update is due, and for which updates there are any.

The first three come 1, 3 and 7 days after that recipient's own message was accepted, further ones weekly. Of those that
were missed meanwhile only the latest is sent.
"""

from datetime import datetime, timedelta

from mastodon_update_check.domain.notices import ReminderNotice, UpdateNotice
from mastodon_update_check.domain.planning.facts import Facts
from mastodon_update_check.domain.recipients import FollowUps, Recipient, wants

FIRST_REMINDERS = (timedelta(days=1), timedelta(days=3), timedelta(days=7))
FURTHER_REMINDERS = timedelta(days=7)
CLOCK_SLACK = timedelta(days=1)
"""An instant further ahead than this was written by a clock that was wrong; one that is nearer will come."""


def reminder_due_after(number: int) -> timedelta:
    """Return how long after the message reminder `number`, from 1, is due."""
    further = max(number - len(FIRST_REMINDERS), 0)
    return FIRST_REMINDERS[min(number, len(FIRST_REMINDERS)) - 1] + further * FURTHER_REMINDERS


def reminder_number(elapsed: timedelta) -> int:
    """Return which reminder is the latest that is due; 0 while none is."""
    further = max((elapsed - FIRST_REMINDERS[-1]) // FURTHER_REMINDERS, 0)
    return sum(due <= elapsed for due in FIRST_REMINDERS) + further


def next_reminder_at(notified_at: datetime, now: datetime) -> datetime:
    """Return when the next reminder is due."""
    return notified_at + reminder_due_after(reminder_number(now - notified_at) + 1)


def is_far_ahead(reminder: ReminderNotice, now: datetime) -> bool:
    """Whether a reminder was planned by a clock that was wrong."""
    return reminder.notified_at + reminder_due_after(reminder.number) > now + CLOCK_SLACK


def is_reminded_of(update: UpdateNotice, facts: Facts) -> bool:
    """Whether the settings ask for reminders of `update`: by default of urgent ones that are to be acted on."""
    if not facts.reminders.admit(update) or facts.is_silenced(update):
        return False
    return facts.reminders is FollowUps.ALL or update.version in facts.to_act_on


def is_outdone(update: UpdateNotice, recipient: Recipient, facts: Facts) -> bool:
    """Whether the recipient wants a newer release of the same branch that is no less urgent: that one has reminders."""
    return any(
        newer.version.branch == update.version.branch
        and newer.version > update.version
        and (newer.urgent or not update.urgent)
        and not facts.is_skipped(newer)
        and wants(recipient, newer).notifies
        for newer in facts.updates
    )
