"""Ledger and planner against whatever happens, in any order: nobody is told twice, nobody is forgotten."""

import tempfile
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from ledger.examples import (
    ALICE,
    BOB,
    DAY,
    HOOK,
    LEASE_OVER,
    SettableClock,
    accept,
    defer,
    facts,
    find_claim,
    refuse,
    replan,
    update,
)
from mastodon_update_check.core.facts import Facts
from mastodon_update_check.core.notices import identity
from mastodon_update_check.core.recipients import Preference, wants
from mastodon_update_check.ledger.claims import Claim
from mastodon_update_check.ledger.file import create_file, open_file
from mastodon_update_check.ledger.ledger import Ledger
from mastodon_update_check.ledger.sqlite import FileSession

VERSIONS = ("4.5.1", "4.5.2", "4.6.0")
INSTALLED = ("4.5.0", "4.5.1", "4.5.2")
PEOPLE = (ALICE, replace(BOB, preference=Preference.PATCH), HOOK)
STEPS = (timedelta(minutes=1), timedelta(minutes=31), DAY, -timedelta(minutes=31), -DAY)
SINKS = ("email", "webhook")
ROUNDS = 20
"""Rounds, a day apart, in which everything must have been accepted once everything works."""


class Deliveries(RuleBasedStateMachine):
    """What the recipients have got, beside what the ledger says."""

    def __init__(self) -> None:
        super().__init__()
        self.directory = tempfile.TemporaryDirectory()
        path = Path(self.directory.name) / "ledger.sqlite3"
        create_file(path)
        connection = open_file(path)
        connection.execute("PRAGMA synchronous = OFF")  # no power is cut here, and a commit takes its time
        self.ledger = Ledger(FileSession(path, connection))
        self.clock = SettableClock()
        self.listed: dict[str, bool] = {}
        self.installed = INSTALLED[0]
        self.present = set(PEOPLE)
        self.got: dict[tuple[str, str], str] = {}
        """Which row reached whom, under which message id."""
        self.unrecorded: dict[tuple[str, str], str] = {}
        """Of those, what the ledger does not know."""
        self.late: list[Claim] = []
        """Attempts whose acceptance may still be recorded."""
        self.rows: dict[str, frozenset[str]] = {}

    def teardown(self) -> None:
        """Whatever has happened: once everything works, everybody gets what is true."""
        self.everything_works()
        self.ledger.close()
        self.directory.cleanup()

    @initialize()
    def begin(self) -> None:
        """Begin with a release, so that something happens."""
        self.listed = {VERSIONS[0]: False}
        self.check()

    @rule(version=st.sampled_from(VERSIONS), urgent=st.booleans())
    def list_release(self, version: str, *, urgent: bool) -> None:
        """List a release, or change its urgency."""
        self.listed[version] = urgent

    @rule(version=st.sampled_from(VERSIONS))
    def withdraw(self, version: str) -> None:
        """Take a release off the list."""
        self.listed.pop(version, None)

    @rule(version=st.sampled_from(INSTALLED))
    def install(self, version: str) -> None:
        """Upgrade, or go back."""
        self.installed = version

    @rule(count=st.sampled_from((1, 2)), is_reversed=st.booleans())
    def come_and_go(self, count: int, *, is_reversed: bool) -> None:
        """Appoint administrators, or let them go; somebody always stays, or it would be no answer."""
        mail = PEOPLE[1::-1] if is_reversed else PEOPLE[:2]
        self.present = {*mail[:count], HOOK}

    @rule()
    def check(self) -> None:
        """Plan; every message id stands for the same rows for ever, some of which may have been given up."""
        for message in replan(self.ledger, self.facts()).messages:
            rows = frozenset(identity(one.notice) for one in message.decisions)
            assert rows <= self.rows.setdefault(message.id, rows)

    @rule(step=st.sampled_from(STEPS))
    def pass_time(self, step: timedelta) -> None:
        """Let time pass, or set the clock right."""
        self.clock.step(step)

    @rule(sink=st.sampled_from(SINKS))
    def succeed(self, sink: str) -> None:
        """Make an attempt that is accepted."""
        claim = find_claim(self.ledger, self.clock(), sink=sink)
        if claim is not None:
            self.receive(claim)
            self.note(claim)

    @rule(sink=st.sampled_from(SINKS), sink_wide=st.booleans())
    def fail(self, sink: str, *, sink_wide: bool) -> None:
        """Make an attempt that is put off."""
        claim = find_claim(self.ledger, self.clock(), sink=sink)
        if claim is not None:
            defer(self.ledger, claim, self.clock(), sink_wide=sink_wide)

    @rule(sink=st.sampled_from(SINKS))
    def be_refused(self, sink: str) -> None:
        """Make an attempt that is refused for good."""
        claim = find_claim(self.ledger, self.clock(), sink=sink)
        if claim is not None:
            refuse(self.ledger, claim, self.clock())

    @rule(sink=st.sampled_from(SINKS))
    def die_before_sending(self, sink: str) -> None:
        """Claim a message and die."""
        if find_claim(self.ledger, self.clock(), sink=sink) is not None:
            self.clock.step(LEASE_OVER)

    @rule(sink=st.sampled_from(SINKS))
    def die_after_sending(self, sink: str) -> None:
        """Hand a message over and freeze before that is recorded."""
        claim = find_claim(self.ledger, self.clock(), sink=sink)
        if claim is not None:
            self.receive(claim)
            self.late.append(claim)
            self.clock.step(LEASE_OVER)

    @precondition(lambda self: self.late)
    @rule()
    def wake_up(self) -> None:
        """Record at last what was accepted long ago."""
        self.note(self.late.pop())

    def facts(self) -> Facts:
        """Return what a check finds now."""
        return facts(
            *(update(version, urgent=urgent) for version, urgent in self.listed.items()),
            to=[person for person in PEOPLE if person in self.present],
            now=self.clock(),
            installed=self.installed,
        )

    def receive(self, claim: Claim) -> None:
        """Get a message; what was got before must have been in doubt, and come under the same id."""
        assert claim.identities
        assert set(claim.identities) <= self.rows[claim.message_id]
        for row in ((claim.recipient_key, name) for name in claim.identities):
            if row in self.got:
                assert self.unrecorded.get(row) == claim.message_id, f"{row} told twice"
            self.got[row] = self.unrecorded[row] = claim.message_id

    def note(self, claim: Claim) -> None:
        """Let the ledger know of an acceptance."""
        accept(self.ledger, claim, self.clock())
        for name in claim.identities:
            self.unrecorded.pop((claim.recipient_key, name), None)

    def everything_works(self) -> None:
        """Check and deliver until nothing waits; then everybody has got what is true and wanted."""
        for _ in range(ROUNDS):
            self.clock.step(DAY)
            self.check()
            for sink in SINKS:
                while (claim := find_claim(self.ledger, self.clock(), sink=sink)) is not None:
                    self.receive(claim)
                    self.note(claim)
        known = self.facts()
        for person in known.recipients:
            for notice in known.updates:
                names = {identity(notice), identity(replace(notice, urgent=True))}
                if wants(person, notice).tells:
                    assert any((person.key, name) in self.got for name in names), f"{person.key} lacks {names}"
        assert self.ledger.summary(known.instance, known.now).undelivered == 0


TestDeliveries = Deliveries.TestCase
TestDeliveries.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)
