"""An account of what was decided and done about one release, or for one person: the ledger, and what is true now.

What the ledger has no row for is decided anew, by the same `plan` that a check makes, and nothing of it is stored.
"""

from collections.abc import Iterable, Mapping, Sequence
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

_NO_DECISION = frozenset({Reason.ALREADY_TOLD, Reason.ALREADY_PLANNED})
"""What only says that there is a row, which is shown itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """Everything that there is to say."""

    asked: Asked
    known: ServerState
    entries: tuple[HistoryEntry, ...]
    """The ledger's rows, oldest first."""
    decisions: tuple[Decision, ...]
    """What would be decided now, where there is no row of somebody's that says it."""
    recipients: tuple[Recipient, ...]
    """Who is told now: for a person or a sink, themselves; for a release, everybody."""
    not_told: tuple[StaffVerdict, ...]
    """Members of Mastodon's staff who are not told at all: for a person, themselves; for a release, all of them."""
    is_remembered: bool
    """Whether the ledger has ever had something for them."""
    warnings: tuple[str, ...]

    @property
    def update(self) -> UpdateNotice | None:
        """The update that was asked about, if it is pending."""
        pending = {update.version: update for update in self.known.pending()}
        return pending.get(self.asked.version) if self.asked.version else None


def gather(
    settings: Settings, ledger: Ledger | None, sink_settings: Mapping[str, str], text: str, now: datetime
) -> Explanation:
    """Give an account of what `text` asks about.

    Raises:
        UsageError: it asks about nothing that is known here.
        LedgerError: the ledger cannot be used.
    """
    known = ledger.state() if ledger else ServerState()
    people = find_people(settings, known.devops)
    old = ledger.known_recipients() if ledger else ()
    names = {one.name for one in people.recipients} | {one.name for one in people.answer.verdicts}
    asked = ask(text, settings, names, old)
    meant = [one for one in people.recipients if asked.means(one)]
    former = [one for one in old if asked.means(one.recipient, one.addresses)]
    entries = _read(ledger, asked, former, meant)
    decisions = _decide(settings, ledger, sink_settings, people, known, now)
    staff = [one for one in people.answer.verdicts if one.recipient is None]
    return Explanation(
        asked=asked,
        known=known,
        entries=entries,
        decisions=tuple(one for one in decisions if _is_missing(one, asked, entries)),
        recipients=tuple(meant) if not asked.subject else people.recipients,
        not_told=tuple(one for one in staff if asked.subject or _is_meant(one, asked)),
        is_remembered=bool(former),
        warnings=people.warnings,
    )


def ask(text: str, settings: Settings, names: Iterable[str], old: Sequence[KnownRecipient]) -> Asked:
    """Read what was asked about, with the names of users and sinks that are known here. Raises `UsageError`."""
    sinks = {*settings.sink_names, *(one.recipient.sink for one in old)}
    return read_asked(text, sinks, {*names, *(one.recipient.name for one in old)} - {""})


def _read(
    ledger: Ledger | None,
    asked: Asked,
    former: list[KnownRecipient],
    meant: list[Recipient],
) -> tuple[HistoryEntry, ...]:
    if ledger is None:
        return ()
    if asked.subject:
        return ledger.history(subject=asked.subject)
    keys = {one.recipient.key for one in former} | {one.key for one in meant}
    found = [entry for key in sorted(keys) for entry in ledger.history(recipient_key=key)]
    return tuple(sorted(found, key=lambda entry: entry.planned_at))


def _decide(
    settings: Settings,
    ledger: Ledger | None,
    sink_settings: Mapping[str, str],
    people: People,
    known: ServerState,
    now: datetime,
) -> tuple[Decision, ...]:
    """Plan from what was known last; what is about this tool itself is not among it."""
    facts = Facts(
        instance=settings.instance,
        now=now,
        installed=known.installed,
        feed=Feed(updates=known.updates, ends_on=known.support_ends_on),
        recipients=people.recipients,
        unasked_sinks=people.unasked_sinks,
        sink_settings=sink_settings,
        skips=known.skips,
    )
    if ledger is None:
        return plan(facts, ()).decisions
    with ledger.reading() as view:
        return plan(facts, view.deliveries(subjects(facts))).decisions


def _is_missing(decision: Decision, asked: Asked, entries: tuple[HistoryEntry, ...]) -> bool:
    """Whether a decision says something that no row says."""
    if asked.subject and subject(decision.notice) != asked.subject:
        return False
    if not asked.subject and not asked.means(decision.recipient):
        return False
    rows = {(entry.recipient_key, entry.identity) for entry in entries}
    return decision.reason not in _NO_DECISION and (decision.recipient.key, identity(decision.notice)) not in rows


def _is_meant(verdict: StaffVerdict, asked: Asked) -> bool:
    recipient = Recipient(sink="email", key="", address=verdict.address, name=verdict.name)
    return asked.means(recipient)
