"""Notices that follow an update notice: reminders while it is not installed, and closure once it is."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from mastodon_update_check.domain.addresses import normalise_address
from mastodon_update_check.domain.identities import is_covered_by, subject
from mastodon_update_check.domain.notices import FollowUp, InstalledNotice, ReminderNotice, UpdateNotice
from mastodon_update_check.domain.outbox import Delivery
from mastodon_update_check.domain.planning.facts import Facts
from mastodon_update_check.domain.planning.reminders import (
    CLOCK_SLACK,
    is_far_ahead,
    is_outdone,
    is_reminded_of,
    reminder_number,
)
from mastodon_update_check.domain.recipients import FollowUps, Recipient


@dataclass(frozen=True, slots=True)
class History:
    """The update notices that each recipient got, by key and by address: either makes it the same person."""

    _by_place: Mapping[tuple[str, str, str], Sequence[Delivery]] = field(default_factory=dict)

    @classmethod
    def of(cls, rows: Iterable[Delivery]) -> "History":
        """Gather the rows about updates that count as notified."""
        found: dict[tuple[str, str, str], list[Delivery]] = {}
        for row in rows:
            if isinstance(row.notice, UpdateNotice | ReminderNotice) and row.state.is_notified:
                for place in places(row.sink, row.recipient_key, row.address):
                    found.setdefault(place, []).append(row)
        return cls(found)

    def notified(self, recipient: Recipient) -> Sequence[Delivery]:
        """Return the rows of this recipient."""
        found = places(recipient.sink, recipient.key, recipient.address)
        return [row for place in found for row in self._by_place.get(place, ())]


def places(sink: str, key: str, address: str, about: str = "") -> tuple[tuple[str, str, str], ...]:
    """Return the keys under which a recipient's rows are found: by recipient key, and by address if there is one."""
    by_key = ("", key, about)
    return (by_key, (sink, normalise_address(address), about)) if address else (by_key,)


def due_follow_ups(facts: Facts, recipient: Recipient, history: History) -> Iterable[FollowUp]:
    """Return the follow-ups that are true now, whether or not the recipient got them before."""
    if facts.reminders is FollowUps.NONE and facts.closure is FollowUps.NONE:
        return
    notified = history.notified(recipient)
    yield from _due_reminders(facts, recipient, notified)
    yield from _closures(facts, recipient, notified)


def _due_reminders(facts: Facts, recipient: Recipient, notified: Sequence[Delivery]) -> Iterable[ReminderNotice]:
    """Return reminders of updates that this check has found: one that may have been withdrawn has none."""
    for update in facts.updates:
        notified_at = _notified_at(update, notified)
        if notified_at is None or not is_reminded_of(update, facts) or is_outdone(update, recipient, facts):
            continue
        number = reminder_number(facts.now - notified_at)
        reminder = ReminderNotice(update=update, number=number, notified_at=notified_at)
        if number and not _has_later_one(reminder, notified, facts.now):
            yield reminder


def _notified_at(update: UpdateNotice, notified: Sequence[Delivery]) -> datetime | None:
    """Return when this recipient's message about `update` was accepted; None while it was not."""
    instants = [
        row.notified_at
        for row in notified
        if row.notified_at is not None and isinstance(row.notice, UpdateNotice) and is_covered_by(update, row.notice)
    ]
    return max(instants, default=None)


def _has_later_one(reminder: ReminderNotice, notified: Sequence[Delivery], now: datetime) -> bool:
    """Whether the recipient got a later reminder, as when the clock was set back since.

    One sent while the release was urgent covers one of the same number now that it is not.
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
        for row in notified
    )


def _closures(facts: Facts, recipient: Recipient, notified: Sequence[Delivery]) -> Iterable[InstalledNotice]:
    """Return one for each notified update that is installed, or older than the installed version.

    By mail only those are sent that the recipient got as urgent.
    """
    closed: dict[str, UpdateNotice] = {}
    if not facts.is_settled:
        return
    for row in notified:
        update = row.notice
        if row.notified_at is None or not isinstance(update, UpdateNotice):
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
        if isinstance(row.notice, UpdateNotice) and row.notified_at is not None and row.notified_at > now + CLOCK_SLACK:
            yield row
