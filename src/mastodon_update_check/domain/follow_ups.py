"""What follows a message about an update, recipient by recipient: reminders while it waits, closure once it is in."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from mastodon_update_check.domain.addresses import normalise_address
from mastodon_update_check.domain.changes import is_covered_by
from mastodon_update_check.domain.facts import Facts
from mastodon_update_check.domain.notices import FollowUp, InstalledNotice, ReminderNotice, UpdateNotice, subject
from mastodon_update_check.domain.outbox import Delivery
from mastodon_update_check.domain.recipients import FollowUps, Recipient
from mastodon_update_check.domain.reminders import (
    CLOCK_SLACK,
    is_far_ahead,
    is_outdone,
    is_reminded_of,
    reminder_number,
)


@dataclass(frozen=True, slots=True)
class History:
    """What each recipient was told of updates: by key and by address, since either makes it the same person."""

    _by_place: Mapping[tuple[str, str], Sequence[Delivery]] = field(default_factory=dict)

    @classmethod
    def of(cls, rows: Iterable[Delivery]) -> "History":
        """Gather the rows about updates that count as told."""
        found: dict[tuple[str, str], list[Delivery]] = {}
        for row in rows:
            if isinstance(row.notice, UpdateNotice | ReminderNotice) and row.state.is_told:
                for place in _places(row.sink, row.recipient_key, row.address):
                    found.setdefault(place, []).append(row)
        return cls(found)

    def told(self, recipient: Recipient) -> Sequence[Delivery]:
        """Return what this recipient was told."""
        places = _places(recipient.sink, recipient.key, recipient.address)
        return [row for place in places for row in self._by_place.get(place, ())]


def _places(sink: str, key: str, address: str) -> tuple[tuple[str, str], ...]:
    return (("", key), (sink, normalise_address(address))) if address else (("", key),)


def due_follow_ups(facts: Facts, recipient: Recipient, history: History) -> Iterable[FollowUp]:
    """Return what is to follow now; what of it was told before is for planning to see."""
    if facts.reminders is FollowUps.NONE and facts.closure is FollowUps.NONE:
        return
    told = history.told(recipient)
    yield from _due_reminders(facts, recipient, told)
    yield from _closures(facts, recipient, told)


def _due_reminders(facts: Facts, recipient: Recipient, told: Sequence[Delivery]) -> Iterable[ReminderNotice]:
    """Only what this check has heard of is reminded of: an update that may have been withdrawn is not."""
    for update in facts.updates:
        told_at = _told_at(update, told)
        if told_at is None or not is_reminded_of(update, facts) or is_outdone(update, recipient, facts):
            continue
        number = reminder_number(facts.now - told_at)
        reminder = ReminderNotice(update=update, number=number, told_at=told_at)
        if number and not _has_later_one(reminder, told, facts.now):
            yield reminder


def _told_at(update: UpdateNotice, told: Sequence[Delivery]) -> datetime | None:
    """Return when this recipient's message about `update` was accepted; None while it was not."""
    instants = [
        row.told_at
        for row in told
        if row.told_at is not None and isinstance(row.notice, UpdateNotice) and is_covered_by(update, row.notice)
    ]
    return max(instants, default=None)


def _has_later_one(reminder: ReminderNotice, told: Sequence[Delivery], now: datetime) -> bool:
    """Whether a later reminder was told already, as when the clock was set back a little since.

    One told while the release was urgent covers one of the same number now that it is not.
    """
    return any(
        isinstance(row.notice, ReminderNotice)
        and row.notice.update.version == reminder.update.version
        and (
            row.notice.number > reminder.number
            if row.notice.update.urgent is reminder.update.urgent
            else row.notice.update.urgent and row.notice.number >= reminder.number
        )
        and not is_far_ahead(row.notice, now)
        for row in told
    )


def _closures(facts: Facts, recipient: Recipient, told: Sequence[Delivery]) -> Iterable[InstalledNotice]:
    """Return one for each update that was told and is covered by what is installed.

    Mail is sent only to somebody who was told that it was urgent.
    """
    closed: dict[str, UpdateNotice] = {}
    if not facts.is_settled:
        return
    for row in told:
        update = row.notice
        if row.told_at is None or not isinstance(update, UpdateNotice):
            continue
        is_in = facts.installed is not None and update.version <= facts.installed
        if is_in and facts.closure.admit(update) and (update.urgent or not recipient.address):
            known = closed.setdefault(subject(update), update)
            closed[subject(update)] = update if update.urgent else known
    for update in sorted(closed.values(), key=lambda update: update.version):
        yield InstalledNotice(update=update)


def misdated(rows: Iterable[Delivery], now: datetime) -> Iterable[Delivery]:
    """Return the rows that a clock which was wrong has dated so far ahead that no reminder would ever be due."""
    for row in rows:
        if isinstance(row.notice, UpdateNotice) and row.told_at is not None and row.told_at > now + CLOCK_SLACK:
            yield row
