"""Four daemons on one ledger, and what is done to them.

In each round one is killed and one is frozen, both in the middle of a delivery; the frozen one goes on after its lease
has run out. A round is good when everybody was told of its release, and nobody twice but in the windows that the design
allows: what the two had handed over already, but could not write down, may come once more with the same id.
"""

import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

from cluster.mailbox import AFTER, BEFORE, Mailbox
from ledger.places import query
from mastodon_update_check.core.outbox import LEASE
from mastodon_update_check.ledger.postgres_place import PostgresPlace
from simulators.update_server import UpdateServer

HOSTS = ("node-1", "node-2", "node-3", "node-4")
PEOPLE = tuple(f"ops{number}@social.example" for number in range(8))
ROUNDS_A_LIFE = 5
"""Everybody gets at most six mails a day."""
INTERVAL = 3
LONGEST = 90.0
FREEZE = LEASE.total_seconds() + 2
OPEN = "SELECT 1 FROM message WHERE state IN ('pending', 'failed') OR claim IS NOT NULL"
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
        self._home = home
        self._place = place
        self._environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "LOCAL_DOMAIN": "social.example",
            "UPDATE_CHECK_CONFIG": str(home / "config.env"),
            "UPDATE_CHECK_MASTODON_ROOT": str(home),
            "UPDATE_CHECK_MASTODON_VERSION": "4.5.0",
            "UPDATE_CHECK_INSTANCE_URL": "",
            "UPDATE_CHECK_LEDGER": ledger,
            "UPDATE_CHECK_RECIPIENTS": ",".join(PEOPLE),
            "UPDATE_CHECK_SINKS": "email",
            "UPDATE_CHECK_INTERVAL": str(INTERVAL),
            "UPDATE_CHECK_JITTER": "0",
            "SMTP_SERVER": "127.0.0.1",
            "SMTP_FROM_ADDRESS": "mastodon@social.example",
        }
        (home / "config.env").touch()
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._allowed: Counter[tuple[str, str]] = Counter()
        self.figures = Figures()

    def live(self, rounds: int, first: int) -> Figures:
        """Go through rounds, of which the first has this number."""
        with ExitStack() as stack:
            self._updates = stack.enter_context(UpdateServer())
            self._mailbox = stack.enter_context(Mailbox())
            stack.callback(self._end)
            self._environment |= {"UPDATE_CHECK_URL": self._updates.url, "SMTP_PORT": str(self._mailbox.port)}
            for host in HOSTS:
                self._start(host)
            with self._watching():
                for number in range(rounds):
                    self._round(f"4.5.{number + 1}", *STAGES[(first + number) % len(STAGES)])
                self._account()
        return self.figures

    def _start(self, host: str) -> None:
        with (self._home / f"{host}.log").open("ab") as log:
            command = (sys.executable, str(Path(__file__).with_name("node.py")), host)
            self._processes[host] = subprocess.Popen(command, env=self._environment, stdout=log, stderr=log)

    def _end(self) -> None:
        for process in self._processes.values():
            process.kill()
            process.wait()

    def _round(self, version: str, killed_at: str, frozen_at: str) -> None:
        began, known = time.monotonic(), set(self._mailbox.accepted)
        self._mailbox.pids = [process.pid for process in self._processes.values()]
        self._mailbox.arm((killed_at, frozen_at))
        self._updates.publish(version)
        self._wait(lambda: len(self._mailbox.holds) == 2, "two senders in the middle of a delivery")
        killed, frozen = self._mailbox.holds
        os.kill(killed.pid, signal.SIGKILL)
        os.kill(frozen.pid, signal.SIGSTOP)
        self._allowed.update(hold.key for hold in (killed, frozen) if hold.key is not None)
        frozen_until = time.monotonic() + FREEZE
        try:
            killed.may_go_on.set()
            frozen.may_go_on.set()
            self._wait(lambda: self._told(known) == set(PEOPLE), f"{version} to everybody")
            self.figures.seconds.append(time.monotonic() - began)
            time.sleep(max(frozen_until - time.monotonic(), 0))
        finally:
            os.kill(frozen.pid, signal.SIGCONT)
        self._replace(killed.pid)
        self.figures.rounds += 1

    def _told(self, known: Collection[tuple[str, str]]) -> set[str]:
        """Return who got a mail that nobody had got before."""
        return {key[0] for key in self._mailbox.accepted if key not in known}

    def _replace(self, pid: int) -> None:
        host = next(host for host, process in self._processes.items() if process.pid == pid)
        self._processes[host].wait()
        self._start(host)

    def _account(self) -> None:
        """Once nothing is under way any more: each release came to each of them, and how often."""
        self._wait(lambda: not query(self._place, OPEN), "nothing under way")
        got = Counter(self._mailbox.accepted)
        self.figures.told += len(got)
        for person in PEOPLE:
            ids = sum(recipient == person for recipient, _ in got)
            self.figures.lost += [f"{person}: one of {self.figures.rounds}"] * (self.figures.rounds - ids)
            self.figures.repeats_outside += [f"{person}: another id"] * (ids - self.figures.rounds)
        for key, count in got.items():
            fitting = min(count - 1, self._allowed[key])
            self.figures.repeats_in_windows += fitting
            self.figures.repeats_outside += [" ".join(key)] * (count - 1 - fitting)

    @contextmanager
    def _watching(self) -> Iterator[None]:
        """Note when the update server is asked."""
        is_over = threading.Event()
        instants = [time.monotonic()]

        def watch() -> None:
            seen = 0
            while not is_over.wait(0.05):
                if len(self._updates.asked) > seen:
                    seen = len(self._updates.asked)
                    instants.append(time.monotonic())

        thread = threading.Thread(target=watch)
        thread.start()
        try:
            yield
        finally:
            is_over.set()
            thread.join()
            gaps = [later - sooner for sooner, later in pairwise(instants[1:])]
            self.figures.checks += len(self._updates.asked)
            self.figures.longest_without_check = max(gaps, default=0.0)

    def _wait(self, is_true: Callable[[], bool], what: str) -> None:
        end = time.monotonic() + LONGEST
        while not is_true():
            if time.monotonic() > end:
                logs = "".join(f"\n{path.name}: {path.read_text()[-1500:]}" for path in self._home.glob("*.log"))
                raise AssertionError(f"in vain: {what}{logs}")
            time.sleep(0.02)


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
