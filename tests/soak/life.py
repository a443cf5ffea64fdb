"""One life of an installation, told by a seed: the world changes at random, the program is killed at random moments.

At its end everything works again, the program runs once more, and the collector says what everybody has got.
"""

import os
import random
import signal
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

from crashes.scene import HOOKS, PEOPLE, Scene, admits
from processes.starters import KILLED, Process, Starter, is_over, kill
from simulators.collector import Account, Manner

T = TypeVar("T")
RELEASES = {"4.5.20": "patch", "4.5.21": "patch", "4.6.9": "minor", "4.7.6": "minor"}
INSTALLED = ("4.5.19", "4.5.20")
WISHES = ("none", "critical", "patch", "all")
MANNERS = {Manner.TAKE: 60, Manner.PUT_OFF: 12, Manner.REFUSE: 6, Manner.CUT: 10, Manner.TAKE_AND_CUT: 12}
"""How servers treat attempts on a bad day, and how often."""
WAYS = {
    "check": 20,
    "check, killed at a moment": 35,
    "check, killed at a step": 15,
    "two checks, one killed": 5,
    "run, killed at a moment": 20,
    "run, reloaded and killed": 5,
    "run, stopped": 5,
}
PAUSES = ({"seconds": 0}, {"seconds": 11}, {"minutes": 10}, {"hours": 3}, {"days": 1}, {"days": 8})


@dataclass(frozen=True, slots=True)
class Story:
    """What one life came to."""

    account: Account
    kills: int
    runs: int


class Life:
    """One installation, and what happens to it."""

    def __init__(self, seed: int, starter: Starter, pace: float = 1) -> None:
        """`pace` is how many times longer than a fork a process of this starter takes."""
        self._random = random.Random(seed)  # noqa: S311 - a life that can be told again
        self._scene = Scene(starter)
        self._pace = pace
        self._listed: dict[str, bool] = {}
        self._installed = INSTALLED[0]
        self._kills = 0
        self._runs = 0

    def live(self) -> Story:
        """Go through it all."""
        with self._scene as scene:
            self._publish(next(iter(RELEASES)))
            for _ in range(self._random.randint(2, 6)):
                self._change_feed()
                self._change_people()
                self._change_servers()
                self._allow()
                self._run()
                scene.settle()
                scene.let_pass(**self._random.choice(PAUSES))
            self._end()
            return Story(scene.collector.account(), self._kills, self._runs)

    def _change_feed(self) -> None:
        server = self._scene.world.update_server
        server.recover()
        for _ in range(self._random.randint(0, 3)):
            version = self._random.choice(tuple(RELEASES))
            if version in self._listed and self._random.random() < 0.5:
                server.withdraw(version)
                del self._listed[version]
            else:
                self._publish(version)
        if self._random.random() < 0.1:
            server.fail(self._random.choice((500, 503, 404)))
        if self._random.random() < 0.1:
            self._installed = self._random.choice(INSTALLED)
            self._scene.world.set(UPDATE_CHECK_MASTODON_VERSION=self._installed)

    def _publish(self, version: str) -> None:
        self._listed[version] = urgent = self._random.random() < 0.3
        self._scene.world.update_server.publish(version, urgent=urgent, type=RELEASES[version])

    def _change_people(self) -> None:
        """Somebody comes, goes or thinks otherwise; a webhook is taken out or put back."""
        if self._random.random() < 0.7:
            return
        staff = self._random.sample(tuple(PEOPLE), self._random.randint(1, len(PEOPLE)))
        people = {one: self._random.choice((PEOPLE[one], self._random.choice(WISHES))) for one in staff}
        hooks = {"/one": "all"} if self._random.random() < 0.3 else HOOKS
        self._scene.tell(people | hooks)

    def _change_servers(self) -> None:
        is_bad_day = self._random.random() < 0.5
        fates = random.Random(self._random.random())  # noqa: S311 - the servers ask, in any order
        collector = self._scene.collector
        collector.manner = lambda _: fates.choices(*_weighted(MANNERS))[0] if is_bad_day else Manner.TAKE
        collector.mail_is_closed = self._random.random() < 0.08

    def _allow(self) -> None:
        """Whatever is true and wanted now may be told, also much later."""
        for place, row in self._true_rows():
            self._scene.collector.allow(place, row)

    def _true_rows(self) -> list[tuple[str, str]]:
        return [
            (place, f"{version}!" if urgent else version)
            for place, wish in self._scene.places.items()
            for version, urgent in self._listed.items()
            if version > self._installed and admits(wish, urgent=urgent, type=RELEASES[version])
        ]

    def _run(self) -> None:
        """Let the program run, in one way or another."""
        match self._random.choices(*_weighted(WAYS))[0]:
            case "check":
                self._finish(self._start("check"))
            case "check, killed at a moment":
                self._kill("check", self._random.uniform(0, 0.3))
            case "check, killed at a step":
                self._kill("check", 60, STEPS_FATAL=str(self._random.randint(1, 450)))
            case "two checks, one killed":
                other = self._start("check")
                self._kill("check", self._random.uniform(0, 0.3))
                self._finish(other)
            case "run, killed at a moment":
                self._kill("run", self._random.uniform(0, 0.6))
            case "run, reloaded and killed":
                self._reload(self._random.uniform(0.2, 0.6), self._random.uniform(0, 0.4))
            case _:
                daemon = self._start("run")
                time.sleep(self._random.uniform(0.2, 0.6) * self._pace)
                os.kill(daemon.pid, signal.SIGTERM)
                # One that had not come so far as to take signals is ended by it, with nothing begun.
                assert daemon.wait() in {0, -signal.SIGTERM}, self._scene.said

    def _start(self, command: str, **environment: str) -> Process:
        self._runs += 1
        return self._scene.start(command, **environment)

    def _finish(self, process: Process) -> None:
        code = process.wait()
        assert code in {0, 1, 75}, (code, self._scene.said)

    def _kill(self, command: str, seconds: float, **environment: str) -> None:
        with self._scene.collector.window():
            process = self._start(command, **environment)
            if not is_over(process, seconds * self._pace):
                kill(process)
            self._kills += process.wait() < 0

    def _reload(self, before: float, after: float) -> None:
        """Let the daemon read its settings anew, and kill it soon afterwards, if a signal has not ended it."""
        with self._scene.collector.window():
            daemon = self._start("run")
            time.sleep(before * self._pace)
            os.kill(daemon.pid, signal.SIGHUP)
            if not is_over(daemon, after * self._pace):
                kill(daemon)
            assert daemon.wait() in {KILLED, -signal.SIGHUP}, self._scene.said
        self._kills += 1

    def _end(self) -> None:
        """Everything works again: one clean run, and everybody must have heard what is true."""
        scene = self._scene
        scene.collector.manner, scene.collector.mail_is_closed = lambda _: Manner.TAKE, False
        scene.world.update_server.recover()
        self._allow()
        for place, row in self._true_rows():
            scene.collector.want(place, row, f"{row.removesuffix('!')}!")
        scene.recover()


def _weighted(choices: Mapping[T, int]) -> tuple[tuple[T, ...], tuple[int, ...]]:
    return tuple(choices), tuple(choices.values())
