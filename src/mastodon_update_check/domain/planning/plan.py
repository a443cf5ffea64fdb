"""From facts to a plan: the messages to send, and the open rows to cancel.

Planning is level-triggered: to plan = (notices true now x recipients who want them) - already notified.
"Could not ask" changes nothing: a row is only given up on evidence that was gathered this time.
"""

import hashlib
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from mastodon_update_check.domain import notices
from mastodon_update_check.domain.identities import DATES_WITHIN, has_moved_too_often, identity, is_covered_by, subject
from mastodon_update_check.domain.outbox import Change, Delivery, DeliveryState
from mastodon_update_check.domain.planning.changes import find_changes, find_doubles
from mastodon_update_check.domain.planning.facts import Facts, History
from mastodon_update_check.domain.planning.follow_ups import due_follow_ups
from mastodon_update_check.domain.recipients import Reason, Recipient, wants

_TOPICS = {"update": "releases", "support": "releases", "reminder": "reminders", "installed": "closures"}
"""Notices of one topic share a message; kinds that are not named here have a message for each notice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """One recipient, one notice, and why the recipient is notified or not."""

    recipient: Recipient
    notice: notices.Notice
    reason: Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedMessage:
    """The notices that one recipient gets in one message; its rows and its id are frozen here."""

    id: str
    recipient: Recipient
    decisions: tuple[Decision, ...]

    @property
    def is_urgent(self) -> bool:
        """Return whether it goes before others: something urgent is among its notices."""
        return any(notices.is_urgent(one.notice) for one in self.decisions)


@dataclass(frozen=True, slots=True, kw_only=True)
class Redirection:
    """An open message, and its recipient as it is now: perhaps with a new address or another role."""

    message_id: str
    recipient: Recipient
    is_hurried: bool
    """Whether it is due at once: what refused it, the address or the settings, is not the same any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The decisions of one check; the ledger stores them in one transaction."""

    made_at: datetime
    messages: tuple[PlannedMessage, ...] = ()
    changes: tuple[Change, ...] = ()
    redirections: tuple[Redirection, ...] = ()
    decisions: tuple[Decision, ...] = ()


def subjects(facts: Facts) -> frozenset[str]:
    """Return the subjects whose rows `plan` must see, beside the open ones."""
    return frozenset(subject(notice) for notice in facts.notices)


def plan(facts: Facts, deliveries: Sequence[Delivery]) -> Plan:
    """Decide from what is true now and the open rows, and those of `subjects(facts)`."""
    changes = [*find_changes(deliveries, facts)]
    notified = _without(changes, [row for row in deliveries if row.state.is_notified])
    doubles = tuple(find_doubles(notified, facts))
    # An open row counts for the address that its message goes to: its former one may be another person's.
    notified = [
        replace(row, address=recipient.address) if row.is_open and (recipient := facts.find_recipient(row)) else row
        for row in _without(doubles, notified)
    ]
    decisions = tuple(_decide(facts, notified))
    return Plan(
        made_at=facts.now,
        messages=tuple(_bundle(facts.instance, decisions, deliveries)),
        changes=(*changes, *doubles),
        redirections=tuple(_redirect(facts, notified)),
        decisions=decisions,
    )


def _without(changes: Iterable[Change], rows: Sequence[Delivery]) -> list[Delivery]:
    given_up = {(change.identity, change.recipient_key) for change in changes}
    return [row for row in rows if (row.identity, row.recipient_key) not in given_up] if given_up else [*rows]


def _decide(facts: Facts, notified: Sequence[Delivery]) -> Iterable[Decision]:
    """Decide for each recipient and notice, in order; a notice that has just been planned counts as notified."""
    by_subject = History(notified, lambda row: subject(row.notice))
    everything = History(notified, lambda _: "")
    for recipient in facts.recipients:
        for notice in (*facts.notices, *due_follow_ups(facts, recipient, everything)):
            reason = wants(recipient, notice)
            if isinstance(notice, notices.UpdateNotice) and facts.known.is_skipped(notice):
                reason = Reason.SKIPPED
            if reason.notifies:
                reason = _notified_before(notice, by_subject.find(recipient, subject(notice)), facts.now) or reason
            if reason.notifies:
                by_subject.add(
                    Delivery(
                        identity=identity(notice),
                        notice=notice,
                        recipient_key=recipient.key,
                        address=recipient.address,
                        sink=recipient.sink,
                        state=DeliveryState.PENDING,
                        message_id="",
                    )
                )
            yield Decision(recipient=recipient, notice=notice, reason=reason)


def _notified_before(notice: notices.Notice, rows: Sequence[Delivery], now: datetime) -> Reason | None:
    """Return why not to notify a recipient with these rows about the same subject, or None."""
    recent = [row.notice for row in rows if row.notified_at is None or now - row.notified_at < DATES_WITHIN]
    is_enough = has_moved_too_often(notice, recent)
    states = {row.state for row in rows if is_enough or is_covered_by(notice, row.notice)}
    if states:
        return Reason.ALREADY_NOTIFIED if DeliveryState.SENT in states else Reason.ALREADY_PLANNED
    is_end = isinstance(notice, notices.CheckRecoveredNotice | notices.UpgradeFinishedNotice)
    if is_end and all(row.state is not DeliveryState.SENT for row in rows):
        return Reason.NOT_NOTIFIED_OF_OUTAGE
    return None


def _bundle(instance: str, decisions: Sequence[Decision], deliveries: Sequence[Delivery]) -> Iterable[PlannedMessage]:
    """Make one message of a recipient's notices of one topic; each tool notice has a message of its own.

    A row that was cancelled after its message had been tried returns to that message, so that a repeat has the same id.
    """
    tried = [row for row in deliveries if row.may_have_arrived]
    formers = History(tried, lambda row: row.identity)
    message_ids = {row.message_id for row in tried}
    keys = frozenset(one.recipient.key for one in decisions)
    bundles: dict[tuple[str, str, str], list[Decision]] = {}
    for one in decisions:
        if one.reason.notifies:
            key, topic = one.recipient.key, _TOPICS.get(one.notice.kind) or identity(one.notice)
            former = _find_former(one, formers, keys)
            if former is not None:
                key, topic = former.recipient_key, former.message_id
            bundles.setdefault((one.recipient.sink, key, topic), []).append(one)
    for (_, key, topic), bundle in bundles.items():
        fresh = message_id(instance, key, (identity(one.notice) for one in bundle))
        yield PlannedMessage(
            id=topic if topic in message_ids else fresh,
            recipient=replace(bundle[0].recipient, key=key),
            decisions=tuple(bundle),
        )


def _find_former(decision: Decision, formers: History, keys: Collection[str]) -> Delivery | None:
    """Return the tried row to take up again, by key, or by address when no recipient has its key any more.

    Of several, as for a person who has moved, the one whose id went to the present address.
    """
    rows = formers.find(decision.recipient, identity(decision.notice))
    own = [row for row in rows if row.recipient_key == decision.recipient.key or row.recipient_key not in keys]
    return min(own, key=lambda row: row.address != decision.recipient.address, default=None)


def message_id(instance: str, recipient_key: str, identities: Iterable[str]) -> str:
    """Return a message's id: the same wherever and whenever the same rows are planned for the same recipient."""
    parts = (instance, recipient_key, *sorted(identities))
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]


def _redirect(facts: Facts, notified: list[Delivery]) -> Iterable[Redirection]:
    seen: set[str] = set()
    for row in notified:
        if not row.is_open or row.message_id in seen:
            continue
        recipient = facts.find_recipient(row)
        if recipient is None:
            continue
        seen.add(row.message_id)
        is_hurried = row.tried_address not in {"", recipient.address} and not row.is_stopped
        yield Redirection(message_id=row.message_id, recipient=recipient, is_hurried=is_hurried)
