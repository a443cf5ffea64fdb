"""Ledger and planner under random events: a recipient is notified once of what is true and wanted."""

import tempfile
from dataclasses import replace
from pathlib import Path

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from ledger.examples import DAY, INSTANCE, SETTINGS
from ledger.model_delivered import Delivered, Inbox, person_of
from ledger.model_world import SINKS, World
from ledger.steps import accept, defer, find_attempt, refuse, replan, start_deliveries
from mastodon_update_check.domain.identities import identity, is_covered_by
from mastodon_update_check.domain.notices import InstalledNotice, ReminderNotice, UpdateNotice
from mastodon_update_check.domain.recipients import Preference, Recipient, wants
from mastodon_update_check.domain.versions import MastodonVersion
from mastodon_update_check.ledger.attempts import Attempt
from mastodon_update_check.ledger.ledger import Ledger
from mastodon_update_check.ledger.sqlite import SqliteLocation

ROUNDS = 20
"""Rounds, a day apart, in which everything must have been accepted once everything works."""


class Deliveries(World):
    """The deliveries that recipients got, independent of the ledger."""

    def __init__(self) -> None:
        super().__init__()
        self.directory = tempfile.TemporaryDirectory()
        self.path = Path(self.directory.name) / "ledger.sqlite3"
        self.create_ledger()
        self.ledger = self.open_ledger()
        self.stopped: set[int] = set()
        """Webhooks that have answered 410."""
        self.delivered = Inbox()
        self.late: list[Attempt] = []
        """Attempts whose acceptance may still be recorded."""
        self.rows: dict[str, frozenset[str]] = {}
        self.backup: tuple[bytes, Inbox] | None = None

    def create_ledger(self) -> None:
        """Make the ledger."""
        SqliteLocation(self.path).create()

    def copy_ledger(self) -> bytes:
        """Return all that is in the ledger, which is closed."""
        return self.path.read_bytes()

    def put_back(self, content: bytes) -> None:
        """Copy a backup into a new ledger."""
        self.path.write_bytes(content)

    def open_ledger(self) -> Ledger:
        """Open the ledger, quickly."""
        session = SqliteLocation(self.path).open()
        session.connection.execute("PRAGMA synchronous = OFF")  # no power is cut here, and a commit takes its time
        return Ledger(session, INSTANCE)

    def teardown(self) -> None:
        """After all events, once everything works, each recipient has every notice that is true."""
        try:
            self.everything_works()
        finally:
            self.ledger.close()
            self.directory.cleanup()

    @rule()
    def check(self) -> None:
        """Plan; every message id stands for the same rows for ever, some of which may have been given up."""
        for message in replan(self.ledger, self.facts()).messages:
            rows = frozenset(identity(one.notice) for one in message.decisions)
            assert rows <= self.rows.setdefault(message.id, rows)
            for name in rows:
                before = self.delivered.find(name, person_of(message.recipient))
                assert not any(one.is_recorded for one in before), f"{name} planned again for {message.recipient}"
                there = [one for one in before if one.address == message.recipient.address] or before
                ids = {one.message_id for one in there if not one.is_used_up}
                assert message.id in ids or not ids, "another id"
        self.delivered.forget_addresses({person.key: person.address for person in self.recipients()})

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
        self.backup = self.copy_ledger(), Inbox(replace(one) for one in self.delivered)
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
        self.delivered = Inbox(replace(one) for one in known)

    def claim(self, sink: str) -> Attempt | None:
        """Begin an attempt by a sink that is configured, in a process that has just begun to deliver."""
        if sink == "webhook" and self.hook is None:
            return None
        self.take_over()
        settings = f"{SETTINGS}.{self.prints}"
        start_deliveries(self.ledger, self.clock(), settings)
        return find_attempt(self.ledger, self.clock(), sink=sink, settings=settings)

    def receive(self, attempt: Attempt) -> None:
        """Receive a message; a repeat must have the same id, and the first one must have been in doubt."""
        assert attempt.identities
        assert set(attempt.identities) <= self.rows[attempt.message_id]
        for name, notice in zip(attempt.identities, attempt.notices, strict=True):
            if isinstance(notice, ReminderNotice | InstalledNotice):
                person = replace(attempt.recipient, key=attempt.recipient_key)  # who may have another key by now
                assert self.delivered.follows(notice, person_of(person)), f"{name} follows nothing"
            before = self.delivered.find(name, lambda one: one.key == attempt.recipient_key)
            assert not any(one.is_recorded for one in before), f"{name} is repeated"
            assert all(one.message_id == attempt.message_id or one.is_used_up for one in before[-1:])
            urgent = self.delivered.find(
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
        assert self.ledger.summary(known.now, SINKS).undelivered == 0

    def all_is_closed(self, person: Recipient) -> None:
        """Each recipient of an urgent release that is installed has its `is installed` notice."""
        for one in [one for one in self.delivered if one.is_for(person) and one.is_recorded]:
            if not isinstance(one.notice, UpdateNotice) or not one.notice.urgent:
                continue
            if one.notice.version <= MastodonVersion.parse(self.installed):
                name = identity(InstalledNotice(update=one.notice))
                closures = self.delivered.find(name, person_of(person))
                assert closures or person.preference is Preference.NONE, f"{person.key} waits for {name}"
