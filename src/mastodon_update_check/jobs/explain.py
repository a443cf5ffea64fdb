"""Explain the decisions about one release or one recipient, from the ledger and the present state.

Decisions without a row in the ledger come from the same `plan` as in a check. Nothing is stored.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from mastodon_update_check.config import Settings
from mastodon_update_check.domain.explain_target import Asked, read_asked
from mastodon_update_check.domain.feeds import Feed
from mastodon_update_check.domain.identities import identity, subject
from mastodon_update_check.domain.notices import UpdateNotice
from mastodon_update_check.domain.planning.facts import Facts
from mastodon_update_check.domain.planning.plan import Decision, plan, subjects
from mastodon_update_check.domain.reasons import Reason
from mastodon_update_check.domain.recipients import Recipient
from mastodon_update_check.domain.server.state import ServerState
from mastodon_update_check.domain.staff import StaffVerdict
from mastodon_update_check.jobs.recipients import People, find_people
from mastodon_update_check.ledger.history import HistoryEntry, KnownRecipient
from mastodon_update_check.ledger.ledger import Ledger

_NO_DECISION = frozenset({Reason.ALREADY_NOTIFIED, Reason.ALREADY_PLANNED})
"""Reasons that only refer to a row, which is shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """The answer of `explain`."""

    asked: Asked
    known: ServerState
    entries: tuple[HistoryEntry, ...]
    """The ledger's rows, oldest first."""
    decisions: tuple[Decision, ...]
    """Present decisions that no row shows."""
    recipients: tuple[Recipient, ...]
    """Present recipients: those asked about; for a release, all."""
    not_told: tuple[StaffVerdict, ...]
    """Staff of Mastodon without notices: those asked about; for a release, all."""
    warnings: tuple[str, ...]

    @property
    def update(self) -> UpdateNotice | None:
        """Return the update that was asked about, if it is pending."""
        pending = {update.version: update for update in self.known.pending()}
        return pending.get(self.asked.version) if self.asked.version else None


def gather(settings: Settings, ledger: Ledger, text: str, now: datetime) -> Explanation:
    """Explain the release, user, address or sink named by `text`. Raises `UsageError` when it is not known."""
    known = ledger.state()
    people = find_people(settings, known.devops)
    old = ledger.known_recipients()
    names = {one.name for one in people.recipients} | {one.name for one in people.answer.verdicts}
    asked = ask(text, settings, names, old)
    meant = [one for one in people.recipients if asked.means(one)]
    former = [one for one in old if asked.means(one.recipient, one.addresses)]
    entries = _read(ledger, asked, former, meant)
    decisions = _decide(settings, ledger, people, known, now)
    staff = [one for one in people.answer.verdicts if one.recipient is None]
    return Explanation(
        asked=asked,
        known=known,
        entries=entries,
        decisions=tuple(one for one in decisions if _is_missing(one, asked, entries)),
        recipients=tuple(meant) if not asked.subject else people.recipients,
        not_told=tuple(one for one in staff if asked.subject or _is_meant(one, asked)),
        # Other warnings about recipients concern `recipients` and `doctor`.
        warnings=people.warnings if people.answer.error else (),
    )


def ask(text: str, settings: Settings, names: Iterable[str], old: Sequence[KnownRecipient]) -> Asked:
    """Parse the argument of `explain`; names of known users and sinks are recognised. Raises `UsageError`."""
    sinks = {*settings.sink_names, *(one.recipient.sink for one in old)}
    return read_asked(text, sinks, {*names, *(one.recipient.name for one in old)} - {""})


def _read(
    ledger: Ledger, asked: Asked, former: list[KnownRecipient], meant: list[Recipient]
) -> tuple[HistoryEntry, ...]:
    if asked.subject:
        return ledger.history(subject=asked.subject)
    keys = {one.recipient.key for one in former} | {one.key for one in meant}
    found = [entry for key in sorted(keys) for entry in ledger.history(recipient_key=key)]
    return tuple(sorted(found, key=lambda entry: entry.planned_at))


def _decide(
    settings: Settings, ledger: Ledger, people: People, known: ServerState, now: datetime
) -> tuple[Decision, ...]:
    """Plan from the last known state, without notices about this tool."""
    facts = Facts(
        instance=settings.instance,
        now=now,
        known=known,
        installed=known.installed,
        feed=Feed(updates=known.updates, ends_on=known.support_ends_on),
        recipients=people.recipients,
        unasked_sinks=people.unasked_sinks,
        sinks=settings.sink_names,
    )
    with ledger.reading() as view:
        return plan(facts, view.deliveries(subjects(facts))).decisions


def _is_missing(decision: Decision, asked: Asked, entries: tuple[HistoryEntry, ...]) -> bool:
    """Return whether no row shows this decision."""
    if asked.subject and subject(decision.notice) != asked.subject:
        return False
    if not asked.subject and not asked.means(decision.recipient):
        return False
    rows = {(entry.recipient_key, entry.identity) for entry in entries}
    return decision.reason not in _NO_DECISION and (decision.recipient.key, identity(decision.notice)) not in rows


def _is_meant(verdict: StaffVerdict, asked: Asked) -> bool:
    recipient = Recipient(sink="email", key="", address=verdict.address, name=verdict.name)
    return asked.means(recipient)
