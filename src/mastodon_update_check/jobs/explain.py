"""Explain the decisions about one release or one recipient, from the ledger and the present state.

Decisions without a row in the ledger come from the same `plan` as in a check. Nothing is stored.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from mastodon_update_check.config import Settings
from mastodon_update_check.domain.explain_target import Asked, read_asked
from mastodon_update_check.domain.feeds import Feed
from mastodon_update_check.domain.identities import identity, subject
from mastodon_update_check.domain.notices import UpdateNotice
from mastodon_update_check.domain.planning.facts import Facts
from mastodon_update_check.domain.planning.plan import Decision, plan, subjects
from mastodon_update_check.domain.recipients import Reason, Recipient
from mastodon_update_check.domain.server.state import ServerState
from mastodon_update_check.domain.staff import StaffVerdict
from mastodon_update_check.jobs.recipients import People, find_people
from mastodon_update_check.ledger.history import HistoryEntry
from mastodon_update_check.ledger.ledger import Ledger

_NO_DECISION = frozenset({Reason.ALREADY_NOTIFIED, Reason.ALREADY_PLANNED})
"""Reasons that only refer to a row, which is shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """The answer of `explain`: about a release, or about the recipients that were asked about."""

    asked: Asked
    known: ServerState
    update: UpdateNotice | None
    """The update that was asked about, if it is pending."""
    entries: tuple[HistoryEntry, ...]
    """The ledger's rows, oldest first."""
    decisions: tuple[Decision, ...]
    """Present decisions that no row shows."""
    recipients: tuple[Recipient, ...]
    not_told: tuple[StaffVerdict, ...]
    """Staff of Mastodon without notices."""
    warnings: tuple[str, ...]


def gather(settings: Settings, ledger: Ledger, text: str, now: datetime) -> Explanation:
    """Explain the release, user, address or sink named by `text`. Raises `UsageError` when it is not known."""
    known = ledger.state()
    people = find_people(settings, known.devops)
    staff = people.answer.verdicts
    asked = ask(text, settings, ledger, [one.name for one in (*people.recipients, *(each.user for each in staff))])

    def is_meant(recipient: Recipient) -> bool:
        return bool(asked.subject) or asked.means(recipient)

    entries = find_entries(ledger, asked, people.recipients)
    return Explanation(
        asked=asked,
        known=known,
        update=next((one for one in known.pending() if one.version == asked.version), None),
        entries=entries,
        decisions=tuple(
            one
            for one in _decide(settings, ledger, people, known, now)
            if is_meant(one.recipient) and _is_missing(one, asked, entries)
        ),
        recipients=tuple(filter(is_meant, people.recipients)),
        not_told=tuple(one for one in staff if one.recipient is None and is_meant(one.user)),
        # Other warnings about recipients concern `recipients` and `doctor`.
        warnings=people.warnings if people.answer.error else (),
    )


def ask(text: str, settings: Settings, ledger: Ledger, names: Sequence[str] = ()) -> Asked:
    """Parse an argument that names a release, a sink, or a user, of these or in the ledger. Raises `UsageError`."""
    former = [one.recipient for one in ledger.known_recipients()]
    users = {*names, *(one.name for one in ledger.state().devops), *(one.name for one in former)}
    return read_asked(text, {*settings.sink_names, *(one.sink for one in former)}, users - {""})


def find_entries(
    ledger: Ledger, asked: Asked | None, recipients: Sequence[Recipient] = (), *, is_undelivered: bool = False
) -> tuple[HistoryEntry, ...]:
    """Return the rows that were asked about, all for None; `recipients` are those of the present."""
    entries = ledger.history(subject=asked.subject if asked else "", is_undelivered=is_undelivered)
    if asked is None or asked.subject:
        return entries
    former = {one.recipient.key for one in ledger.known_recipients() if asked.means(one.recipient, one.addresses)}
    keys = former | {one.key for one in recipients if asked.means(one)}
    return tuple(entry for entry in entries if entry.recipient_key in keys)


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


def _is_missing(decision: Decision, asked: Asked, entries: Sequence[HistoryEntry]) -> bool:
    if decision.reason in _NO_DECISION or (asked.subject and subject(decision.notice) != asked.subject):
        return False
    rows = {(entry.recipient_key, entry.identity) for entry in entries}
    return (decision.recipient.key, identity(decision.notice)) not in rows
