"""Explain the decisions about one release or one recipient, from the ledger and the present state.

Decisions without a row in the ledger come from the same `plan` as in a check. Nothing is stored.
"""

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from mastodon_update_check.config import Settings
from mastodon_update_check.domain.addresses import normalise_address
from mastodon_update_check.domain.feeds import Feed
from mastodon_update_check.domain.identities import identity, subject
from mastodon_update_check.domain.notices import UpdateNotice
from mastodon_update_check.domain.planning.facts import Facts
from mastodon_update_check.domain.planning.plan import Decision, plan, subjects
from mastodon_update_check.domain.recipients import Reason, Recipient
from mastodon_update_check.domain.server.state import ServerState
from mastodon_update_check.domain.staff import StaffVerdict
from mastodon_update_check.domain.text import clean
from mastodon_update_check.domain.versions import MastodonVersion
from mastodon_update_check.errors import InvalidVersionError, UsageError
from mastodon_update_check.jobs.recipients import People, find_people
from mastodon_update_check.ledger.history import HistoryEntry
from mastodon_update_check.ledger.ledger import Ledger

_NO_DECISION = frozenset({Reason.ALREADY_NOTIFIED, Reason.ALREADY_PLANNED})
"""Reasons that only refer to a row, which is shown."""
_BRANCH = re.compile(r"[0-9]{1,4}\.[0-9]{1,4}")
_EXAMPLES = "a release (4.5.20), a branch (4.5), a mail address, the name of a user, or a sink"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The subject of a command; one of the fields is given."""

    words: str
    version: MastodonVersion | None = None
    branch: str = ""
    address: str = ""
    name: str = ""
    """Of a user of the server, in lower case."""
    sink: str = ""
    """A sink's name, or `webhook` for every webhook."""

    @property
    def subject(self) -> str:
        """The subject of its notices, for a release or a branch; empty for people and sinks."""
        if self.version is not None:
            return subject(UpdateNotice(version=self.version))
        return f"support/{self.branch}" if self.branch else ""

    def means(self, recipient: Recipient, addresses: Iterable[str] = ()) -> bool:
        """Return whether this recipient was asked about; `addresses` are others that had the same key."""
        if self.address:
            return self.address in map(normalise_address, (recipient.address, *addresses))
        if self.name:
            return recipient.name.lower() == self.name
        return bool(self.sink) and is_of_kind(recipient.sink, self.sink)


def read_asked(text: str, sinks: Collection[str], names: Collection[str]) -> Asked:
    """Read a command's subject by the known `sinks` and `names` of users, or raise `UsageError`; `@name` is a user."""
    words, plain = clean(text), text.strip()
    if plain.startswith("@"):  # as users are called in Mastodon
        return _read_name(words, plain[1:].partition("@")[0].lower(), names)
    if "@" in plain:
        return Asked(words=words, address=normalise_address(plain))
    if _BRANCH.fullmatch(plain):
        return Asked(words=words, branch=plain)
    try:
        return Asked(words=words, version=MastodonVersion.parse(plain))
    except InvalidVersionError:
        word = plain.lower()
        is_sink = any(is_of_kind(sink, word) for sink in sinks)
        return Asked(words=words, sink=word) if is_sink else _read_name(words, word, names)


def _read_name(words: str, name: str, names: Collection[str]) -> Asked:
    if name not in map(str.lower, names):
        raise UsageError(f"{words!r} is not known here: name {_EXAMPLES}")
    return Asked(words=words, name=name)


def is_of_kind(sink: str, word: str) -> bool:
    """Return whether a word names this sink, or all sinks of its kind: `webhook` is `webhook.ops` too."""
    return word in {sink, sink.partition(".")[0]}


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
    if asked is None or asked.subject:
        return ledger.history(subject=asked.subject if asked else "", is_undelivered=is_undelivered)
    former = {one.recipient.key for one in ledger.known_recipients() if asked.means(one.recipient, one.addresses)}
    keys = former | {one.key for one in recipients if asked.means(one)}
    return ledger.history(recipient_keys=keys, is_undelivered=is_undelivered)


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
