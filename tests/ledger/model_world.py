"""The world of the model: releases, people, settings and clock, which change at random."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, timedelta

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from ledger.examples import ALICE, BOB, DAY, HOOK, YEAR, SettableClock, facts, update
from mastodon_update_check.domain.feeds import Feed
from mastodon_update_check.domain.planning.facts import Facts
from mastodon_update_check.domain.recipients import FollowUps, Preference, Recipient, address_key
from mastodon_update_check.domain.server.state import Skip
from mastodon_update_check.domain.versions import MastodonVersion

VERSIONS = ("4.5.1", "4.5.2", "4.6.0")
INSTALLED = ("4.5.0", "4.5.1", "4.5.2")
ENDS = (None, date(2026, 12, 1), date(2027, 1, 10), date(2027, 1, 20), date(2028, 6, 1))
"""When support of the branch ends: some move by less than a month."""
MINUTE = timedelta(minutes=1)
STEPS = (MINUTE, 31 * MINUTE, DAY, YEAR, -31 * MINUTE, -DAY, -YEAR)
SINKS = ("email", "webhook")


class World(RuleBasedStateMachine):
    """The facts that a check finds; a subclass checks."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = SettableClock()
        self.listed: dict[str, bool] = {}
        self.feed_answers = True
        self.ends_on: date | None = None
        self.installed = INSTALLED[0]
        self.skips: dict[str, Skip] = {}
        self.people = {"alice": ALICE, "bob": replace(BOB, preference=Preference.PATCH)}
        self.absent: set[str] = set()
        self.hook: Recipient | None = None
        self.urls = 1
        self.prints = 1

    def check(self) -> None:
        """Plan with the facts of this moment."""
        raise NotImplementedError

    @initialize()
    def begin(self) -> None:
        """Begin with a release, so that something happens."""
        self.listed = {VERSIONS[0]: False}
        self.hook = self.hook_now()
        self.check()

    @rule(version=st.sampled_from(VERSIONS), urgent=st.booleans())
    def list_release(self, version: str, *, urgent: bool) -> None:
        """List a release, or change its urgency."""
        self.listed[version] = urgent

    @rule(version=st.sampled_from(VERSIONS))
    def withdraw(self, version: str) -> None:
        """Take a release off the list."""
        self.listed.pop(version, None)

    @rule(version=st.sampled_from(VERSIONS))
    def flap(self, version: str) -> None:
        """Take a release off the list and put it back, with a check between."""
        urgent = self.listed.pop(version, False)
        self.check()
        self.listed[version] = urgent
        self.check()

    @rule(ends_on=st.sampled_from(ENDS))
    def move_the_end_of_support(self, ends_on: date | None) -> None:
        """Let support of the branch end at another time."""
        self.ends_on = ends_on

    @rule()
    def lose_or_find_the_feed(self) -> None:
        """Let the update server fail, or work again."""
        self.feed_answers = not self.feed_answers

    @rule(version=st.sampled_from(INSTALLED))
    def install(self, version: str) -> None:
        """Upgrade, or go back."""
        self.installed = version

    @rule(version=st.sampled_from(VERSIONS), urgent=st.booleans())
    def skip(self, version: str, *, urgent: bool) -> None:
        """Pass a release over."""
        self.skips[version] = Skip(version=MastodonVersion.parse(version), urgent=urgent, skipped_at=self.clock())

    @rule(version=st.sampled_from(VERSIONS))
    def unskip(self, version: str) -> None:
        """Pass it over no longer."""
        self.skips.pop(version, None)

    @rule(absent=st.sampled_from((frozenset(), frozenset({"alice"}), frozenset({"bob"}))))
    def come_and_go(self, absent: frozenset[str]) -> None:
        """Add or remove administrators; one always stays, because an empty answer does not count."""
        self.absent = set(absent)

    @rule(name=st.sampled_from(("alice", "bob")), host=st.sampled_from(("social.example", "new.example")))
    def move(self, name: str, host: str) -> None:
        """Change an address."""
        person = self.people[name]
        moved = replace(person, address=f"{name}@{host}")
        is_user = person.key.startswith("user:")
        self.people[name] = moved if is_user else replace(moved, key=address_key(moved.address))

    @rule(name=st.sampled_from(("alice", "bob")))
    def become_a_user_or_an_address(self, name: str) -> None:
        """Name a database user in the settings, or the other way round."""
        person = self.people[name]
        is_user = person.key.startswith("user:")
        key = address_key(person.address) if is_user else {"alice": ALICE, "bob": BOB}[name].key
        self.people[name] = replace(person, key=key)

    @rule(name=st.sampled_from(("alice", "bob")), preference=st.sampled_from(Preference))
    def change_preference(self, name: str, preference: Preference) -> None:
        """Change a preference."""
        self.people[name] = replace(self.people[name], preference=preference)

    @rule()
    def remove_or_put_back_the_webhook(self) -> None:
        """Take a sink out of the settings, or put it back."""
        self.hook = None if self.hook else self.hook_now()

    @rule()
    def change_the_webhooks_url(self) -> None:
        """Call another webhook: that is another recipient."""
        self.urls += 1
        self.hook = self.hook and self.hook_now()

    @rule()
    def change_settings(self) -> None:
        """Change how the sinks deliver."""
        self.prints += 1

    @rule(step=st.sampled_from(STEPS))
    def pass_time(self, step: timedelta) -> None:
        """Let time pass, or set the clock right, or wrong."""
        self.clock.step(step)

    def hook_now(self) -> Recipient:
        """Return the webhook by its present URL."""
        return replace(HOOK, key=f"webhook:{self.urls}")

    def facts(self) -> Facts:
        """Return what a check finds now."""
        known = facts(
            *(update(version, urgent=urgent) for version, urgent in self.listed.items()),
            to=self.recipients(),
            now=self.clock(),
            installed=self.installed,
            follow_ups=FollowUps.ALL,
            skips=self.skips.values(),
        )
        names = {"email", *(["webhook"] if self.hook else [])}
        feed = Feed(updates=known.updates, ends_on=self.ends_on) if self.feed_answers else None
        return replace(known, sinks=names, feed=feed)

    def recipients(self) -> Iterable[Recipient]:
        """Return all possible recipients."""
        yield from (person for name, person in self.people.items() if name not in self.absent)
        if self.hook:
            yield self.hook
