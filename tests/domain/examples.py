"""Values that the tests of the core begin with; every test says only what it is about."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta

from mastodon_update_check.domain.feeds import Feed
from mastodon_update_check.domain.identities import identity
from mastodon_update_check.domain.notices import (
    CheckFailingNotice,
    CheckRecoveredNotice,
    DeliveryFailingNotice,
    InstalledNotice,
    MigrationsPendingNotice,
    Notice,
    ReminderNotice,
    RestartNotice,
    ServicesOutdatedNotice,
    SupportNotice,
    SupportStage,
    ToolNotice,
    UpdateNotice,
    UpdateType,
    UpgradeFinishedNotice,
)
from mastodon_update_check.domain.outbox import Delivery, DeliveryState
from mastodon_update_check.domain.planning.facts import Facts
from mastodon_update_check.domain.planning.plan import Plan, plan
from mastodon_update_check.domain.recipients import FollowUps, Preference, Recipient, address_key
from mastodon_update_check.domain.server.state import ServerState, Skip
from mastodon_update_check.domain.versions import MastodonVersion

NOW = datetime(2026, 11, 23, 2, 7, tzinfo=UTC)
INSTANCE = "social.example"


def version(text: str) -> MastodonVersion:
    """Return a version."""
    return MastodonVersion.parse(text)


def update(
    text: str,
    *,
    urgent: bool = False,
    type: UpdateType | None = None,  # noqa: A002 - the field is called so
    notes: str = "",
    ends_on: date | None = None,
) -> UpdateNotice:
    """Return an update notice."""
    return UpdateNotice(version=version(text), urgent=urgent, type=type, release_notes=notes, end_of_support_on=ends_on)


def patch(text: str, *, urgent: bool = False) -> UpdateNotice:
    """Return an update notice of type patch."""
    return update(text, urgent=urgent, type=UpdateType.PATCH)


def minor(text: str, *, urgent: bool = False) -> UpdateNotice:
    """Return an update notice of type minor."""
    return update(text, urgent=urgent, type=UpdateType.MINOR)


def reminder(about: UpdateNotice, number: int = 1, notified_at: datetime = NOW) -> ReminderNotice:
    """Return a reminder notice."""
    return ReminderNotice(update=about, number=number, notified_at=notified_at)


def installed(about: UpdateNotice) -> InstalledNotice:
    """Return the notice that an update is installed."""
    return InstalledNotice(update=about)


def skip(text: str, *, urgent: bool = False) -> Skip:
    """Return a skip."""
    return Skip(version=version(text), urgent=urgent, skipped_at=NOW)


def support(stage: SupportStage, ends_on: date = date(2027, 2, 20), branch: str = "4.5") -> SupportNotice:
    """Return a support notice."""
    return SupportNotice(branch=branch, ends_on=ends_on, stage=stage)


def feed(*updates: UpdateNotice, ends_on: date | None = None, is_complete: bool = True) -> Feed:
    """Return an answer that lists these updates."""
    return Feed(updates=updates, ends_on=ends_on, is_complete=is_complete)


def user(number: int = 1, preference: Preference = Preference.ALL, **fields: str | bool) -> Recipient:
    """Return one of the server's users, who is notified by mail."""
    recipient = Recipient(
        sink="email", key=f"user:{number}", address=f"user{number}@social.example", preference=preference, name="ann"
    )
    return replace(recipient, **fields)  # type: ignore[arg-type] # the fields' own types differ


def named(address: str, preference: Preference = Preference.ALL) -> Recipient:
    """Return an address that the settings name."""
    return Recipient(sink="email", key=address_key(address), address=address, preference=preference)


def hook(sink: str = "webhook", key: str = "webhook:1", preference: Preference = Preference.ALL) -> Recipient:
    """Return a webhook."""
    return Recipient(sink=sink, key=key, preference=preference)


def facts(
    *recipients: Recipient,
    installed: str | None = "4.5.19",
    answer: Feed | None = None,
    now: datetime = NOW,
    unasked: Iterable[str] = (),
    tool_notices: Sequence[ToolNotice] = (),
    sinks: Iterable[str] = ("email", "webhook", "log"),
    skips: Sequence[Skip] = (),
    reminders: FollowUps = FollowUps.NONE,
    closure: FollowUps = FollowUps.NONE,
) -> Facts:
    """Return what a check knows."""
    runs = None if installed is None else version(installed)
    known = ServerState(installed=runs, updates=(answer and answer.updates) or (), skips=tuple(skips))
    return Facts(
        instance=INSTANCE,
        now=now,
        known=known,
        installed=runs,
        feed=answer,
        recipients=recipients,
        sinks=tuple(sinks),
        unasked_sinks=frozenset(unasked),
        tool_notices=tuple(tool_notices),
        reminders=reminders,
        closure=closure,
    )


AT = datetime(2026, 11, 22, 13, 5, tzinfo=UTC)
CHECK = CheckFailingNotice(started_at=AT, stage=1, cause="tls", detail="certificate verify failed")
RECOVERED = CheckRecoveredNotice(started_at=AT, recovered_at=AT + timedelta(days=2))
DELIVERY = DeliveryFailingNotice(sink="webhook.ops", started_at=AT, stage=0, detail="HTTP 503")
MIGRATIONS = MigrationsPendingNotice(
    version=version("4.5.20+glitch"), migrations=("20260805130216",), newest="20260805130216", started_at=AT
)
SERVICES = ServicesOutdatedNotice(
    version=version("4.5.20+glitch"), services=("mastodon-sidekiq.service",), started_at=AT
)
FINISHED = UpgradeFinishedNotice(about=MIGRATIONS, ended_at=AT + timedelta(days=2))
RESTART = RestartNotice(tree=version("4.5.20+glitch"), running=version("4.5.19"))


@dataclass(slots=True)
class Rows:
    """A ledger of values: what plans and attempts make of the deliveries, and nothing else.

    Keys are those of the real ledger: one row for each identity and recipient key, which a plan takes up again only
    when it had been cancelled or superseded.
    """

    rows: dict[tuple[str, str], Delivery] = field(default_factory=dict)

    def plan(self, facts: Facts) -> Plan:
        """Plan, and keep the plan."""
        made = plan(facts, tuple(self.rows.values()))
        self.apply(made)
        return made

    def apply(self, made: Plan) -> None:
        """Keep a plan."""
        for change in made.changes:
            place = change.identity, change.recipient_key
            state = DeliveryState.SUPERSEDED if change.reason.supersedes else DeliveryState.CANCELLED
            self.rows[place] = replace(self.rows[place], state=state)
        for place in made.misdated:
            self.rows[place] = replace(self.rows[place], notified_at=made.made_at)
        for one in made.redirections:
            for place, row in self.rows.items():
                if row.message_id == one.message_id and row.is_open:
                    self.rows[place] = replace(row, address=one.recipient.address)
                    if one.is_hurried:
                        self.rows[place] = replace(self.rows[place], tried_address="")
        for message in made.messages:
            for decision in message.decisions:
                row = delivery(decision.notice, message.recipient, message_id=message.id)
                place = row.identity, row.recipient_key
                if place not in self.rows or not self.rows[place].state.is_notified:
                    self.rows[place] = row

    def set(self, state: DeliveryState, **fields: str | bool | datetime) -> None:
        """Let every open row come to this state."""
        for place, row in self.rows.items():
            if row.is_open:
                self.rows[place] = replace(row, state=state, **fields)  # type: ignore[arg-type] # as above

    def send(self, at: datetime = NOW) -> None:
        """Let every open row be accepted."""
        self.set(DeliveryState.SENT, notified_at=at)

    def refuse(self) -> None:
        """Let every open row be refused for good."""
        for place, row in self.rows.items():
            if row.is_open:
                self.rows[place] = replace(row, state=DeliveryState.FAILED, tried_address=row.address)

    def claim(self) -> None:
        """Mark every open row as being sent."""
        for place, row in self.rows.items():
            if row.is_open:
                self.rows[place] = replace(row, is_being_sent=True)

    def states(self) -> dict[tuple[str, str], str]:
        """Return the state of each row."""
        return {place: str(row.state) for place, row in self.rows.items()}


def delivery(
    notice: Notice, recipient: Recipient, state: DeliveryState = DeliveryState.PENDING, message_id: str = "m"
) -> Delivery:
    """Return a row for this notice and recipient."""
    return Delivery(
        identity=identity(notice),
        notice=notice,
        recipient_key=recipient.key,
        address=recipient.address,
        sink=recipient.sink,
        state=state,
        message_id=message_id,
    )


def planned(made: Plan) -> list[tuple[str, str, str]]:
    """Return the planned notices: recipient, identity, reason."""
    return [
        (one.recipient.key, identity(one.notice), str(one.reason)) for sent in made.messages for one in sent.decisions
    ]


def changed(made: Plan) -> list[tuple[str, str, str]]:
    """Return which rows change, and why."""
    return [(change.recipient_key, change.identity, str(change.reason)) for change in made.changes]


def days(number: int) -> timedelta:
    """Return so many days."""
    return timedelta(days=number)
