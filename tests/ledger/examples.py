"""Ledgers for tests: a clock that stands still, a few recipients and releases, and short ways to use them."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from mastodon_update_check.domain.feeds import Feed
from mastodon_update_check.domain.notices import ToolNotice, UpdateNotice
from mastodon_update_check.domain.planning.facts import Facts
from mastodon_update_check.domain.recipients import FollowUps, Recipient
from mastodon_update_check.domain.server.state import ServerState, Skip
from mastodon_update_check.domain.versions import MastodonVersion

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
YEAR = timedelta(days=365)
DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)
INSTANCE = "social.example"
SETTINGS = "fingerprint-1"
SINKS = ("email", "webhook", "webhook.ops")
ALICE = Recipient(sink="email", key="user:1", address="alice@social.example", name="alice")
BOB = Recipient(sink="email", key="user:2", address="bob@social.example", name="bob")
HOOK = Recipient(sink="webhook", key="webhook:aaaa")


class SettableClock:
    """A clock that moves only on request."""

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
    instance: str = INSTANCE,
    tool_notices: tuple[ToolNotice, ...] = (),
    follow_ups: FollowUps = FollowUps.NONE,
    skips: Iterable[Skip] = (),
) -> Facts:
    """Return what a check knows after a good answer that lists `updates`."""
    runs = MastodonVersion.parse(installed)
    return Facts(
        instance=instance,
        now=now,
        known=ServerState(installed=runs, updates=updates, skips=tuple(skips)),
        installed=runs,
        feed=Feed(updates=updates),
        recipients=tuple(to),
        sinks=SINKS,
        tool_notices=tool_notices,
        reminders=follow_ups,
        closure=follow_ups,
    )
