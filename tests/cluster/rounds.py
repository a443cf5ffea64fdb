"""The rounds: in each, a release comes out, the owner of the ledger fails in one way, and its node returns.

A round passes when every recipient got the release once. A message may arrive once more, with the same id, if the
ledger shows that its delivery was in progress when the owner failed.
"""

import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from cluster.cluster import RECIPIENTS, Cluster
from cluster.node import LONGEST, Node
from simulators.collector import Arrival, Manner
from simulators.postgres import Postgres
from simulators.tcp_proxy import Network

ROUNDS_A_LIFE = 6
"""A recipient gets at most six mails a day."""
LATEST = 3.0
"""The latest random moment after a release, in seconds."""
TAKEOVER_LIMIT = 30.0


class Moment(StrEnum):
    """The point at which the owner fails."""

    IDLE = "while idle"
    RANDOM = "at a random moment"
    BEFORE = "before a mail's body"
    AFTER = "between acceptance and reply"


@dataclass(frozen=True, slots=True)
class Failure:
    """One way in which a node fails, and returns."""

    name: str
    begin: Callable[[Node], None]
    end: Callable[[Node], None]
    loses_lease: bool = False
    """Whether the daemon survives, and has to notice that it has lost the ledger."""
    may_repeat: bool = True


def _restart(node: Node) -> None:
    node.stop()
    node.launch()


KILL = Failure("kill -9 of a node", Node.kill, Node.start)
KILL_SUPERVISOR = Failure("kill -9 of the supervisor", Node.kill_supervisor, Node.start)
FREEZE = Failure("freeze and thaw", Node.freeze, Node.thaw, loses_lease=True)
RESET = Failure(
    "connections reset",
    lambda node: node.network.set(Network.REFUSES),
    lambda node: node.network.set(Network.WORKS),
    loses_lease=True,
)
SILENCE = Failure(
    "network silent",
    lambda node: node.network.set(Network.SILENT),
    lambda node: node.network.set(Network.WORKS),
    loses_lease=True,
)
STOP = Failure("planned stop", Node.stop, Node.start, may_repeat=False)
RESTART = Failure("restart", _restart, Node.start, may_repeat=False)
PLAN: tuple[tuple[Failure, Moment], ...] = (
    (KILL, Moment.AFTER),
    (FREEZE, Moment.AFTER),
    (RESTART, Moment.RANDOM),
    (RESET, Moment.AFTER),
    (STOP, Moment.RANDOM),
    (KILL_SUPERVISOR, Moment.AFTER),
    (FREEZE, Moment.RANDOM),
    (KILL, Moment.RANDOM),
    (SILENCE, Moment.AFTER),
    (RESTART, Moment.IDLE),
    (FREEZE, Moment.BEFORE),
    (KILL, Moment.IDLE),
    (RESET, Moment.RANDOM),
    (STOP, Moment.IDLE),
    (KILL, Moment.BEFORE),
    (SILENCE, Moment.RANDOM),
    (KILL_SUPERVISOR, Moment.RANDOM),
    (FREEZE, Moment.IDLE),
)


@dataclass(slots=True)
class Figures:
    """The results of some rounds."""

    rounds: Counter[str] = field(default_factory=Counter)
    notified: int = 0
    faults: list[str] = field(default_factory=list)
    lost: int = 0
    repeats_inside: int = 0
    repeats_outside: int = 0
    takeovers: dict[str, list[float]] = field(default_factory=dict)
    """Seconds from the failure to the next owner, by failure."""
    seconds: list[float] = field(default_factory=list)
    """Seconds from the failure until every recipient was notified."""

    def add(self, other: "Figures") -> None:
        """Add the results of another life."""
        for name in ("rounds", "notified", "faults", "lost", "repeats_inside", "repeats_outside", "seconds"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for name, seconds in other.takeovers.items():
            self.takeovers.setdefault(name, []).extend(seconds)


class Life:
    """A cluster from its first start to its last round."""

    def __init__(self, home: Path, postgres: Postgres, first: int, figures: Figures) -> None:
        """`first` is the number of the first round; it decides everything that is random."""
        self._random = random.Random(first)  # noqa: S311 - rounds that can be repeated
        self._first = first
        self._cluster = Cluster(home, postgres, hosts=2 + first // ROUNDS_A_LIFE % 2)
        self._figures = figures
        self._doubtful: set[str] = set()
        """Ids of the messages that may arrive once more."""
        self._held = threading.Event()
        self._release = threading.Event()
        self._stage: Moment | None = None

    def live(self, rounds: int) -> None:
        """Start the nodes, and go through some rounds."""
        with self._cluster as cluster:
            cluster.collector.manner, cluster.collector.on_arrival = self._on_recipient, self._on_arrival
            try:
                for node in cluster.nodes:
                    node.start()
                for number in range(rounds):
                    failure, moment = PLAN[(self._first + number) % len(PLAN)]
                    try:
                        self._round(f"4.5.{number + 1}", failure, moment)
                    except AssertionError as error:
                        raise AssertionError(
                            f"round {self._first + number}: {failure.name} {moment}: {error}"
                        ) from error
                    self._figures.rounds[failure.name] += 1
            finally:
                self._release.set()
            self._account()

    def _round(self, version: str, failure: Failure, moment: Moment) -> None:
        cluster = self._cluster
        node, (_, token) = cluster.owner_node(), cluster.owner()
        lost = len(node.events("owner.lost"))
        self._doubtful = set()
        self._reach(version, moment)
        began = time.monotonic()
        if not failure.may_repeat:
            self._release.set()
        failure.begin(node)
        self._doubtful = cluster.open_attempts() if failure.may_repeat else set()
        self._mark_doubtful()
        self._release.set()
        if moment is Moment.IDLE:
            cluster.publish(version)
        cluster.wait(lambda: cluster.owner()[1] not in {"", token}, "a takeover")
        takeover = time.monotonic() - began
        cluster.wait(cluster.is_settled, f"{version} to be delivered")
        self._figures.takeovers.setdefault(failure.name, []).append(takeover)
        self._figures.seconds.append(time.monotonic() - began)
        if takeover > TAKEOVER_LIMIT:
            self._figures.faults.append(f"{failure.name} {moment}: takeover after {takeover:.1f} s")
        failure.end(node)
        if failure.loses_lease:
            node.wait_for("owner.lost", lost + 1)
        cluster.wait(cluster.is_settled, "late records")

    def _reach(self, version: str, moment: Moment) -> None:
        """Publish a release, and return at the moment of the failure."""
        if moment is Moment.IDLE:
            return
        self._held.clear()
        self._release.clear()
        self._stage = moment if moment is not Moment.RANDOM else None
        self._cluster.publish(version)
        if moment is Moment.RANDOM:
            time.sleep(self._random.uniform(0, LATEST))
        else:
            assert self._held.wait(LONGEST), "no mail was sent"

    def _on_recipient(self, _: str) -> Manner:
        self._hold(Moment.BEFORE)
        return Manner.TAKE

    def _on_arrival(self, arrival: Arrival) -> None:
        self._mark_doubtful()
        if arrival.place in RECIPIENTS:
            self._hold(Moment.AFTER)

    def _hold(self, stage: Moment) -> None:
        """Let the first conversation of a round that comes to a stage wait for the failure."""
        if self._stage is stage:
            self._stage = None
            self._held.set()
            self._release.wait()

    def _mark_doubtful(self) -> None:
        """Excuse one repeat of each message that was in progress when the owner failed."""
        arrivals = self._cluster.collector.arrivals
        count = Counter(arrival.id for arrival in arrivals)
        for arrival in arrivals:
            arrival.is_doubtful = arrival.id in self._doubtful and count[arrival.id] == 1

    def _account(self) -> None:
        account, figures = self._cluster.collector.account(), self._figures
        figures.notified += len(account.delivered)
        figures.lost += len(account.lost)
        figures.repeats_inside += len(account.excused)
        figures.repeats_outside += len(account.repeats) + len(account.unwanted) + len(account.left_out)
        figures.faults += [*account.lost, *account.repeats, *account.unwanted, *account.left_out]


def live(home: Path, postgres: Postgres, first: int, rounds: int) -> Figures:
    """Go through one life; a failed round is a fault that ends it."""
    figures = Figures()
    try:
        Life(home, postgres, first, figures).live(rounds)
    except (AssertionError, OSError) as error:
        number = first + figures.rounds.total()
        failure, moment = PLAN[number % len(PLAN)]
        figures.faults.append(f"round {number}: {failure.name} {moment}: {error}")
    return figures
