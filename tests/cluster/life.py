"""Four daemons on one ledger, and what is done to them.

In each round one is killed and one is frozen, both in the middle of a delivery; the frozen one goes on after its lease
has run out. A round is good when everybody was told of its release, and nobody twice but in the windows that the design
allows: what the two had handed over already, but could not write down, may come once more with the same id.
"""

import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

from cluster.crew import INTERVAL, Crew, account
from cluster.mailbox import AFTER, BEFORE
from mastodon_update_check.domain.outbox import LEASE
from mastodon_update_check.ledger.postgres_place import PostgresPlace

HOSTS = ("node-1", "node-2", "node-3", "node-4")
ROUNDS_A_LIFE = 5
"""Everybody gets at most six mails a day."""
FREEZE = LEASE.total_seconds() + 2
STAGES = ((AFTER, AFTER), (BEFORE, AFTER), (AFTER, BEFORE), (BEFORE, BEFORE))
"""Where the one that is killed, and the one that is frozen, are in their deliveries."""


@dataclass(slots=True)
class Figures:
    """What came of it."""

    rounds: int = 0
    told: int = 0
    lost: list[str] = field(default_factory=list)
    repeats_in_windows: int = 0
    repeats_outside: list[str] = field(default_factory=list)
    checks: int = 0
    longest_without_check: float = 0.0
    seconds: list[float] = field(default_factory=list)
    """How long each round took from the release until everybody was told."""

    def add(self, other: "Figures") -> None:
        """Take another one's in."""
        self.rounds += other.rounds
        self.told += other.told
        self.lost += other.lost
        self.repeats_in_windows += other.repeats_in_windows
        self.repeats_outside += other.repeats_outside
        self.checks += other.checks
        self.longest_without_check = max(self.longest_without_check, other.longest_without_check)
        self.seconds += other.seconds


class Life:
    """A server with four nodes, from nothing to a few rounds later."""

    def __init__(self, home: Path, place: PostgresPlace, ledger: str) -> None:
        """`ledger` is the URL of `place`."""
        self._crew = Crew(home, place, ledger)
        self._allowed: Counter[tuple[str, str]] = Counter()
        self.figures = Figures()

    def live(self, rounds: int, first: int) -> Figures:
        """Go through rounds, of which the first has this number."""
        figures = self.figures
        with self._crew as crew:
            crew.start(*HOSTS)
            with self._watching():
                for number in range(rounds):
                    self._round(f"4.5.{number + 1}", *STAGES[(first + number) % len(STAGES)])
                figures.repeats_in_windows, figures.lost, figures.repeats_outside = account(crew, rounds, self._allowed)
                figures.told = len(set(crew.mailbox.accepted))
        return figures

    def _round(self, version: str, killed_at: str, frozen_at: str) -> None:
        crew, began = self._crew, time.monotonic()
        known = set(crew.mailbox.accepted)
        killed, frozen = crew.publish_and_hold(version, killed_at, frozen_at)
        dead, asleep = crew.host_of(killed.pid), crew.host_of(frozen.pid)
        crew.kill(dead)
        crew.freeze(asleep)
        self._allowed.update(hold.key for hold in (killed, frozen) if hold.key is not None)
        frozen_until = time.monotonic() + FREEZE
        try:
            killed.may_go_on.set()
            frozen.may_go_on.set()
            crew.wait_told(known, version)
            self.figures.seconds.append(time.monotonic() - began)
            time.sleep(max(frozen_until - time.monotonic(), 0))
        finally:
            crew.thaw(asleep)
        crew.start(dead)
        self.figures.rounds += 1

    @contextmanager
    def _watching(self) -> Iterator[None]:
        """Note when the update server is asked."""
        is_over, asked = threading.Event(), self._crew.updates.asked
        instants = [time.monotonic()]

        def watch() -> None:
            seen = 0
            while not is_over.wait(0.05):
                if len(asked) > seen:
                    seen = len(asked)
                    instants.append(time.monotonic())

        thread = threading.Thread(target=watch)
        thread.start()
        try:
            yield
        finally:
            is_over.set()
            thread.join()
            gaps = [later - sooner for sooner, later in pairwise(instants[1:])]
            self.figures.checks += len(asked)
            self.figures.longest_without_check = max(gaps, default=0.0)


def describe(figures: Figures) -> Mapping[str, object]:
    """Return the figures as they are printed."""
    ordered = sorted(figures.seconds)
    return {
        "rounds": figures.rounds,
        "told": figures.told,
        "lost": len(figures.lost),
        "repeats, same id, of what had been accepted unrecorded": figures.repeats_in_windows,
        "repeats besides": len(figures.repeats_outside),
        "seconds from release to all told, median": round(ordered[len(ordered) // 2], 1),
        "seconds from release to all told, longest": round(ordered[-1], 1),
        "checks": figures.checks,
        "seconds without a check, longest": round(figures.longest_without_check, 1),
    }


BOUND = timedelta(seconds=30 + INTERVAL)
"""How long there may be no check."""
