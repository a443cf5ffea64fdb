"""Ledger and planner under random events: no recipient is notified twice, and none is missed."""

import tempfile
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from ledger.examples import (
    ALICE,
    BOB,
    DAY,
    HOOK,
    INSTANCE,
    SETTINGS,
    YEAR,
    SettableClock,
    accept,
    defer,
    facts,
    find_attempt,
    refuse,
    replan,
    start_deliveries,
    update,
)
from ledger.locations import owned, postgres_location
from mastodon_update_check.domain.feeds import Feed
from mastodon_update_check.domain.identities import identity, is_covered_by
from mastodon_update_check.domain.notices import InstalledNotice, Notice, ReminderNotice, UpdateNotice
from mastodon_update_check.domain.planning.facts import Facts
from mastodon_update_check.domain.recipients import FollowUps, Preference, Recipient, address_key, wants
from mastodon_update_check.domain.server.state import Skip
from mastodon_update_check.domain.versions import MastodonVersion
from mastodon_update_check.ledger.attempts import Attempt
from mastodon_update_check.ledger.copying import copy
from mastodon_update_check.ledger.ledger import Ledger
from mastodon_update_check.ledger.postgres_session import PATIENT
from mastodon_update_check.ledger.sqlite import SqliteLocation, SqliteSession
from mastodon_update_check.ledger.sqlite_file import create_file, open_file
from simulators.postgres import Postgres

VERSIONS = ("4.5.1", "4.5.2", "4.6.0")
INSTALLED = ("4.5.0", "4.5.1", "4.5.2")
ENDS = (None, date(2026, 12, 1), date(2027, 1, 10), date(2027, 1, 20), date(2028, 6, 1))
"""When support of the branch ends: some move by less than a month."""
MINUTE = timedelta(minutes=1)
STEPS = (MINUTE, 31 * MINUTE, DAY, YEAR, -31 * MINUTE, -DAY, -YEAR)
SINKS = ("email", "webhook")
ROUNDS = 20
"""Rounds, a day apart, in which everything must have been accepted once everything works."""


@dataclass(slots=True)
class Delivered:
    """One row that a recipient has received."""

    key: str
    address: str
    """Its address; empty when its recipient has moved before that was recorded, so that no address identifies it."""
    notice: Notice
    message_id: str
    is_recorded: bool = False
    """Whether the ledger knows."""
    is_used_up: bool = False
    """Whether its message's id has been accepted since without it: it can only come again under another one."""

    @property
    def identity(self) -> str:
        return identity(self.notice)

    def is_for(self, recipient: Recipient) -> bool:
        """Whether this was the same person: by key, or by address."""
        return self.key == recipient.key or (self.address != "" and self.address == recipient.address)


class Deliveries(RuleBasedStateMachine):
    """The deliveries that recipients got, independent of the ledger."""

    def __init__(self) -> None:
        super().__init__()
        self.directory = tempfile.TemporaryDirectory()
        self.path = Path(self.directory.name) / "ledger.sqlite3"
        self.create_ledger()
        self.ledger = self.open_ledger()
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
        self.stopped: set[int] = set()
        """Webhooks that have answered 410."""
        self.prints = 1
        self.delivered: list[Delivered] = []
        self.late: list[Attempt] = []
        """Attempts whose acceptance may still be recorded."""
        self.rows: dict[str, frozenset[str]] = {}
        self.backup: tuple[bytes, list[Delivered]] | None = None

    def create_ledger(self) -> None:
        """Make the ledger."""
        create_file(self.path)

    def copy_ledger(self) -> bytes:
        """Return all that is in the ledger, which is closed."""
        return self.path.read_bytes()

    def put_back(self, content: bytes) -> None:
        """Copy a backup into a new ledger."""
        self.path.write_bytes(content)

    def open_ledger(self) -> Ledger:
        """Open the ledger, quickly."""
        connection = open_file(self.path)
        connection.execute("PRAGMA synchronous = OFF")  # no power is cut here, and a commit takes its time
        return Ledger(SqliteSession(self.path, connection), INSTANCE)

    def teardown(self) -> None:
        """After all events, once everything works, each recipient has every notice that is true."""
        try:
            self.everything_works()
        finally:
            self.ledger.close()
            self.directory.cleanup()

    @initialize()
    def begin(self) -> None:
        """Begin with a release, so that something happens."""
        self.listed = {VERSIONS[0]: False}
        self.hook = self.hook_now()
        self.check()

    # The world

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

    # The program

    @rule()
    def check(self) -> None:
        """Plan; every message id stands for the same rows for ever, some of which may have been given up."""
        for message in replan(self.ledger, self.facts()).messages:
            rows = frozenset(identity(one.notice) for one in message.decisions)
            assert rows <= self.rows.setdefault(message.id, rows)
            for name in rows:
                before = self.find_delivered(name, person_of(message.recipient))
                assert not any(one.is_recorded for one in before), f"{name} planned again for {message.recipient}"
                assert all(one.message_id == message.id or one.is_used_up for one in before[-1:]), "another id"
        self.forget_addresses()

    @rule(sink=st.sampled_from(SINKS))
    def succeed(self, sink: str) -> None:
        """Make an attempt that is accepted."""
        claim = self.claim(sink)
        if claim is not None:
            self.receive(claim)
            self.note(claim)

    @rule(sink=st.sampled_from(SINKS), sink_wide=st.booleans())
    def fail(self, sink: str, *, sink_wide: bool) -> None:
        """Make an attempt that is put off."""
        claim = self.claim(sink)
        if claim is not None:
            defer(self.ledger, claim, self.clock(), sink_wide=sink_wide)

    @rule(sink=st.sampled_from(SINKS))
    def lose_the_reply(self, sink: str) -> None:
        """Make an attempt that is accepted, but the reply is lost: it counts as put off."""
        claim = self.claim(sink)
        if claim is not None:
            self.receive(claim)
            defer(self.ledger, claim, self.clock())

    @rule(sink=st.sampled_from(SINKS))
    def be_refused(self, sink: str) -> None:
        """Make an attempt that is refused permanently."""
        claim = self.claim(sink)
        if claim is not None:
            refuse(self.ledger, claim, self.clock())

    @rule()
    def answer_410(self) -> None:
        """Have the webhook answer HTTP 410."""
        claim = self.claim("webhook")
        if claim is not None:
            refuse(self.ledger, claim, self.clock(), sink_wide=True)
            self.stopped.add(self.urls)

    @rule(sink=st.sampled_from(SINKS))
    def be_stopped(self, sink: str) -> None:
        """End the process in the middle of an attempt that was accepted after all; another one takes over."""
        claim = self.claim(sink)
        if claim is not None:
            self.receive(claim)
            self.take_over()

    @rule(sink=st.sampled_from(SINKS))
    def die_before_sending(self, sink: str) -> None:
        """Begin an attempt and die."""
        if self.claim(sink) is not None:
            self.take_over()

    @rule(sink=st.sampled_from(SINKS), is_taken_over=st.booleans())
    def die_after_sending(self, sink: str, *, is_taken_over: bool) -> None:
        """Hand a message over and freeze before that is recorded; the next check may come before the next owner."""
        claim = self.claim(sink)
        if claim is not None:
            self.receive(claim)
            self.late.append(claim)
            if is_taken_over:
                self.take_over()

    def take_over(self) -> None:
        """Own the ledger as another process."""
        self.ledger.close_open_attempts(self.clock())

    @precondition(lambda self: self.late)
    @rule()
    def wake_up(self) -> None:
        """Record an earlier acceptance."""
        self.note(self.late.pop())

    @rule()
    def back_up(self) -> None:
        """Copy the ledger."""
        self.ledger.close()
        self.backup = self.copy_ledger(), [replace(one) for one in self.delivered]
        self.ledger = self.open_ledger()

    @precondition(lambda self: self.backup)
    @rule()
    def restore(self) -> None:
        """Restore the copy, which lacks later events and ids."""
        assert self.backup is not None
        self.ledger.close()
        content, known = self.backup
        self.put_back(content)
        self.ledger = self.open_ledger()
        self.late.clear()
        self.delivered = [replace(one) for one in known]

    # The recipients

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

    def claim(self, sink: str) -> Attempt | None:
        """Begin an attempt by a sink that is configured, in a process that has just begun to deliver."""
        if sink == "webhook" and self.hook is None:
            return None
        self.take_over()
        settings = f"{SETTINGS}.{self.prints}"
        start_deliveries(self.ledger, self.clock(), settings)
        return find_attempt(self.ledger, self.clock(), sink=sink, settings=settings)

    def find_delivered(self, name: str, is_meant: Callable[[Delivered], bool]) -> list[Delivered]:
        """Return the deliveries of one row to one person, in order."""
        return [one for one in self.delivered if one.identity == name and is_meant(one)]

    def follows(self, notice: ReminderNotice | InstalledNotice, is_meant: Callable[[Delivered], bool]) -> bool:
        """Whether a person was notified of the subject of a reminder or `is installed` notice."""
        about = [one for one in self.delivered if isinstance(one.notice, UpdateNotice) and is_meant(one)]
        return any(is_covered_by(notice.update, one.notice) for one in about)

    def receive(self, attempt: Attempt) -> None:
        """Receive a message; a repeat must have the same id, and the first one must have been in doubt."""
        assert attempt.identities
        assert set(attempt.identities) <= self.rows[attempt.message_id]
        for name, notice in zip(attempt.identities, attempt.notices, strict=True):
            if isinstance(notice, ReminderNotice | InstalledNotice):
                person = replace(attempt.recipient, key=attempt.recipient_key)  # who may have another key by now
                assert self.follows(notice, person_of(person)), f"{name} follows nothing"
            before = self.find_delivered(name, lambda one: one.key == attempt.recipient_key)
            assert not any(one.is_recorded for one in before), f"{name} is repeated"
            assert all(one.message_id == attempt.message_id or one.is_used_up for one in before[-1:])
            urgent = self.find_delivered(
                name.replace("/plain", "/urgent"), lambda one: one.key == attempt.recipient_key
            )
            assert not any(one.is_recorded for one in urgent), f"{name} is delivered after the urgent form"
            self.delivered.append(
                Delivered(
                    key=attempt.recipient_key,
                    address=attempt.recipient.address,
                    notice=notice,
                    message_id=attempt.message_id,
                )
            )

    def note(self, attempt: Attempt) -> None:
        """Let the ledger know of an acceptance."""
        accept(self.ledger, attempt, self.clock())
        for one in self.delivered:
            if one.message_id == attempt.message_id:
                one.is_recorded |= one.identity in attempt.identities
                one.is_used_up |= not one.is_recorded
                one.address = attempt.recipient.address

    def forget_addresses(self) -> None:
        """The ledger knows one address of each row, and that of one which is in doubt may have moved on."""
        addresses = {person.key: person.address for person in self.recipients()}
        for one in self.delivered:
            if not one.is_recorded and addresses.get(one.key, one.address) != one.address:
                one.address = ""

    def everything_works(self) -> None:
        """Check and deliver until nothing is pending; then each recipient has every notice that is true and wanted."""
        self.feed_answers = True
        self.skips.clear()
        self.urls += self.urls in self.stopped
        self.hook = self.hook_now()
        for _ in range(ROUNDS):
            self.clock.step(DAY)
            self.check()
            for sink in SINKS:
                while (claim := self.claim(sink)) is not None:
                    self.receive(claim)
                    self.note(claim)
        known = self.facts()
        for person in known.recipients:
            for notice in known.notices:
                received = [one for one in self.delivered if one.is_for(person) and is_covered_by(notice, one.notice)]
                assert received or not wants(person, notice).notifies, f"{person.key} lacks {identity(notice)}"
            self.all_is_closed(person)
        assert self.ledger.summary(known.now).undelivered == 0

    def all_is_closed(self, person: Recipient) -> None:
        """Each recipient of an urgent release that is installed has its `is installed` notice."""
        for one in [one for one in self.delivered if one.is_for(person) and one.is_recorded]:
            is_urgent = isinstance(one.notice, UpdateNotice) and one.notice.urgent
            if (
                is_urgent
                and isinstance(one.notice, UpdateNotice)
                and one.notice.version <= MastodonVersion.parse(self.installed)
            ):
                name = identity(InstalledNotice(update=one.notice))
                closures = self.find_delivered(name, person_of(person))
                assert closures or person.preference is Preference.NONE, f"{person.key} waits for {name}"


def person_of(recipient: Recipient) -> Callable[[Delivered], bool]:
    """Return the identity of the person who got a delivery."""
    return lambda one: one.is_for(recipient)


TestDeliveries = Deliveries.TestCase
TestDeliveries.settings = settings(max_examples=30, stateful_step_count=40, deadline=None)


class DeliveriesOnPostgres(Deliveries):
    """The same on the other engine."""

    postgres: Postgres

    def create_ledger(self) -> None:
        """Make the ledger, in a schema of its own."""
        self.schema = ExitStack()
        self.place = self.schema.enter_context(postgres_location(self.postgres))
        self.place.create()
        self.place = replace(owned(self.place), bounds=PATIENT)

    def copy_ledger(self) -> bytes:
        """Return a backup."""
        self.path.unlink(missing_ok=True)
        self.place.back_up(self.path)
        return self.path.read_bytes()

    def put_back(self, content: bytes) -> None:
        """Copy a backup back, into a new ledger."""
        self.path.write_bytes(content)
        self.schema.close()
        self.schema = ExitStack()
        self.place = self.schema.enter_context(postgres_location(self.postgres))
        copy(SqliteLocation(self.path), self.place)
        self.place = replace(owned(self.place), bounds=PATIENT)

    def open_ledger(self) -> Ledger:
        """Open the ledger."""
        return Ledger.open(self.place, INSTANCE)

    def teardown(self) -> None:
        """Remove the schema, too."""
        try:
            super().teardown()
        finally:
            self.schema.close()


class TestDeliveriesOnPostgres(DeliveriesOnPostgres.TestCase):  # type: ignore[misc, valid-type]  # the library makes it
    """Fewer examples: each statement is a round trip to another process."""

    settings = settings(max_examples=8, stateful_step_count=30, deadline=None)

    @pytest.fixture(autouse=True)
    def server(self, postgres: Postgres) -> None:
        """Use the server of these tests."""
        DeliveriesOnPostgres.postgres = postgres
