"""Ledgers for tests: a clock that stands still, a few recipients and releases, and short ways to use them."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from mastodon_update_check.domain.facts import Facts
from mastodon_update_check.domain.feeds import Feed
from mastodon_update_check.domain.notices import ToolNotice, UpdateNotice
from mastodon_update_check.domain.outbox import DeliveryState, Settlement, settle
from mastodon_update_check.domain.planning import Plan, plan, subjects
from mastodon_update_check.domain.recipients import FollowUps, Recipient
from mastodon_update_check.domain.skips import Skip
from mastodon_update_check.domain.versions import MastodonVersion
from mastodon_update_check.errors import DeliveryError, PermanentDeliveryError, TransientDeliveryError
from mastodon_update_check.ledger.claims import Claim
from mastodon_update_check.ledger.ledger import Ledger

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
YEAR = timedelta(days=365)
DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)
LEASE_OVER = timedelta(seconds=11)
INSTANCE = "social.example"
SETTINGS = "fingerprint-1"
ALICE = Recipient(sink="email", key="user:1", address="alice@social.example", name="alice")
BOB = Recipient(sink="email", key="user:2", address="bob@social.example", name="bob")
HOOK = Recipient(sink="webhook", key="webhook:aaaa")


class SettableClock:
    """A clock that moves only when it is told to."""

    def __init__(self, now: datetime = NOW) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def step(self, step: timedelta) -> None:
        """Move it, also backwards."""
        self.now += step


def update(version: str, *, urgent: bool = False) -> UpdateNotice:
    """Return a release."""
    return UpdateNotice(version=MastodonVersion.parse(version), urgent=urgent)


def facts(
    *updates: UpdateNotice,
    to: Iterable[Recipient] = (ALICE,),
    now: datetime = NOW,
    installed: str = "4.5.0",
    settings: str = SETTINGS,
    instance: str = INSTANCE,
    tool_notices: tuple[ToolNotice, ...] = (),
    follow_ups: FollowUps = FollowUps.NONE,
    skips: Iterable[Skip] = (),
) -> Facts:
    """Return what a check knows after a good answer that lists `updates`."""
    return Facts(
        instance=instance,
        now=now,
        installed=MastodonVersion.parse(installed),
        feed=Feed(updates=updates),
        recipients=tuple(to),
        sink_settings={"email": settings, "webhook": settings, "webhook.ops": settings},
        tool_notices=tool_notices,
        skips=tuple(skips),
        reminders=follow_ups,
        closure=follow_ups,
        to_act_on=frozenset(update.version for update in updates if update.urgent),
    )


def replan(ledger: Ledger, known: Facts) -> Plan:
    """Plan and store the plan, as a check does."""
    with ledger.writing() as book:
        about = subjects(known) | book.unclosed_subjects(known.instance, known.closure)
        decided = plan(known, book.deliveries(known.instance, about, known.now))
        book.apply(known.instance, decided)
    return decided


def find_claim(
    ledger: Ledger,
    now: datetime = NOW,
    *,
    sink: str = "email",
    settings: str = SETTINGS,
    instance: str = INSTANCE,
    due_by: datetime | None = None,
) -> Claim | None:
    """Claim the next message, if there is one."""
    return ledger.claim(instance, sink, settings, now, due_by or now)


def take(ledger: Ledger, now: datetime = NOW, *, sink: str = "email", settings: str = SETTINGS) -> Claim:
    """Claim the next message; there must be one."""
    claim = find_claim(ledger, now, sink=sink, settings=settings)
    assert claim is not None
    return claim


def judge(claim: Claim, error: DeliveryError | None, now: datetime) -> Settlement:
    """Settle an attempt with waits that are exactly those of the table."""
    return settle(error, "accepted", failures=claim.failures, sink_failures=claim.sink_failures, now=now, spread=0.5)


def accept(ledger: Ledger, claim: Claim, now: datetime = NOW) -> None:
    """Record that the other side accepted."""
    ledger.record(claim, judge(claim, None, now), now)


def defer(ledger: Ledger, claim: Claim, now: datetime = NOW, *, sink_wide: bool = False) -> None:
    """Record a failure that may pass."""
    ledger.record(claim, judge(claim, TransientDeliveryError("busy", sink_wide=sink_wide), now), now)


def refuse(ledger: Ledger, claim: Claim, now: datetime = NOW, *, sink_wide: bool = False) -> None:
    """Record a refusal for good."""
    ledger.record(claim, judge(claim, PermanentDeliveryError("no such user", sink_wide=sink_wide), now), now)


def states(ledger: Ledger, *updates: UpdateNotice, now: datetime = NOW) -> dict[tuple[str, str], DeliveryState]:
    """Return the state of every row about `updates`, by recipient key and identity."""
    rows = ledger.deliveries(INSTANCE, subjects(facts(*updates)), now)
    return {(row.recipient_key, row.identity): row.state for row in rows}
