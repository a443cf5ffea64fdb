"""One random life of an installation: its world changes, and the program is killed at random steps and moments.

At the end everything works again, the program runs once more, and the collector accounts for every notice.
"""

import os
import random
import signal
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

from crashes.scenario import ADDRESSES, SITE, WEBHOOKS, Scenario, admits
from processes.starters import KILLED, Process, Starter, is_over, kill, kill_all
from simulators.collector import Account, Manner

T = TypeVar("T")
RELEASES = {"4.5.20": "patch", "4.5.21": "patch", "4.6.9": "minor", "4.7.6": "minor"}
INSTALLED = ("4.5.19", "4.5.20")
PREFERENCES = ("none", "critical", "patch", "all")
MANNERS = {Manner.TAKE: 60, Manner.PUT_OFF: 12, Manner.REFUSE: 6, Manner.CUT: 10, Manner.TAKE_AND_CUT: 12}
"""How servers treat attempts on a bad day, with weights."""
RUNS = {
    "check": 20,
    "check, killed at a moment": 20,
    "check, killed at a step": 30,
    "two checks, one killed": 5,
    "run, killed at a step": 15,
    "run, a child killed at a step": 10,
    "run, killed at a moment": 10,
    "run, killed without its children": 10,
    "run, reloaded and killed": 5,
    "run, stopped": 5,
    "run beside a check": 5,
}
CHECK_STEPS, RUN_STEPS = 450, 1000
RUN_SECONDS = 4.0
"""How long a daemon lives at most: a few checks, each with its deliveries."""
PAUSES = ({"seconds": 0}, {"seconds": 11}, {"minutes": 10}, {"hours": 3}, {"days": 1}, {"days": 8})


@dataclass(frozen=True, slots=True)
class Story:
    """The result of one life."""

    account: Account
    kills: int
    runs: int


class Life:
    """One installation, and the events of its life."""

    def __init__(self, seed: int, starter: Starter) -> None:
        self._random = random.Random(seed)  # noqa: S311 - a life that can be repeated
        self._scenario = Scenario(starter)
        self._listed: dict[str, bool] = {}
        self._installed = INSTALLED[0]
        self._kills = 0
        self._runs = 0

    def live(self) -> Story:
        """Run the whole life."""
        with self._scenario as scenario:
            self._publish(next(iter(RELEASES)))
            for _ in range(self._random.randint(2, 6)):
                self._change_feed()
                self._change_people()
                self._change_servers()
                self._allow()
                self._run()
                scenario.settle()
                scenario.let_pass(**self._random.choice(PAUSES))
            self._end()
            return Story(scenario.collector.account(), self._kills, self._runs)

    def _change_feed(self) -> None:
        server = self._scenario.world.update_server
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
            self._scenario.world.set(UPDATE_CHECK_MASTODON_VERSION=self._installed)

    def _publish(self, version: str) -> None:
        self._listed[version] = urgent = self._random.random() < 0.3
        self._scenario.world.update_server.publish(version, urgent=urgent, type=RELEASES[version])

    def _change_people(self) -> None:
        """Add, remove or change recipients; remove or add a webhook."""
        if self._random.random() < 0.7:
            return
        staff = self._random.sample(tuple(ADDRESSES), self._random.randint(1, len(ADDRESSES)))
        people = {one: self._random.choice((ADDRESSES[one], self._random.choice(PREFERENCES))) for one in staff}
        hooks = {"/one": "all"} if self._random.random() < 0.3 else WEBHOOKS
        self._scenario.set_recipients(people | hooks)

    def _change_servers(self) -> None:
        is_bad_day = self._random.random() < 0.5
        fates = random.Random(self._random.random())  # noqa: S311 - the servers ask, in any order
        collector = self._scenario.collector
        collector.manner = lambda _: fates.choices(*_weighted(MANNERS))[0] if is_bad_day else Manner.TAKE
        collector.mail_is_closed = self._random.random() < 0.08

    def _allow(self) -> None:
        """Allow notices that are true and wanted now, also when they arrive much later."""
        for place, row in self._true_rows():
            self._scenario.collector.allow(place, row)

    def _true_rows(self) -> list[tuple[str, str]]:
        return [
            (place, f"{version}!" if urgent else version)
            for place, preference in self._scenario.places.items()
            for version, urgent in self._listed.items()
            if version > self._installed and admits(preference, urgent=urgent, type=RELEASES[version])
        ]

    def _run(self) -> None:  # noqa: C901 - a list of cases
        """Run the program in a random way."""
        seconds = self._random.uniform(0, RUN_SECONDS)
        match self._random.choices(*_weighted(RUNS))[0]:
            case "check":
                self._finish(self._start("check"))
            case "check, killed at a moment":
                self._kill("check", self._random.uniform(0, 0.3))
            case "check, killed at a step":
                self._kill("check", 60, self._fatal_step(CHECK_STEPS))
            case "two checks, one killed":
                other = self._start("check")
                self._kill("check", self._random.uniform(0, 0.3))
                self._finish(other)
            case "run, killed at a step":
                self._kill("run", 2 * RUN_SECONDS, self._fatal_step(RUN_STEPS))
            case "run, a child killed at a step":
                self._kill("run", RUN_SECONDS + seconds, self._fatal_step(RUN_STEPS, "child"))
            case "run, killed at a moment":
                self._kill("run", seconds)
            case "run, killed without its children":
                self._kill("run", seconds, with_children=False)
            case "run, reloaded and killed":
                self._reload(seconds)
            case "run beside a check":
                self._check_beside(seconds)
            case _:
                self._stop(seconds)

    def _start(self, command: str, **environment: str) -> Process:
        self._runs += 1
        return self._scenario.start(command, **environment)

    def _fatal_step(self, steps: int, victim: str = "all") -> dict[str, str]:
        """Return the variables with which a process, or one of its children, dies at a random step."""
        file = self._scenario.world.directory / "steps"
        file.unlink(missing_ok=True)
        step = str(self._random.randint(1, steps))
        return {"STEPS_FATAL": step, "STEPS_FILE": str(file), "STEPS_VICTIM": victim, "PYTHONPATH": SITE}

    def _finish(self, process: Process) -> None:
        code = process.wait()
        assert code in {0, 1, 75}, (code, self._scenario.errors)

    def _kill(
        self, command: str, seconds: float, environment: Mapping[str, str] | None = None, *, with_children: bool = True
    ) -> None:
        """Start the program, and kill it after some seconds unless it has ended before."""
        with self._scenario.collector.window():
            process = self._start(command, **(environment or {}))
            if not is_over(process, seconds):
                (kill_all if with_children else kill)(process)
            self._kills += process.wait() < 0

    def _stop(self, seconds: float) -> None:
        daemon = self._start("run")
        time.sleep(seconds)
        os.kill(daemon.pid, signal.SIGTERM)
        # Before the daemon blocks signals, SIGTERM ends it, and nothing has begun.
        assert daemon.wait() in {0, -signal.SIGTERM}, self._scenario.errors

    def _reload(self, seconds: float) -> None:
        """Let the daemon read its settings again, and kill it soon afterwards."""
        with self._scenario.collector.window():
            daemon = self._start("run")
            time.sleep(seconds)
            os.kill(daemon.pid, signal.SIGHUP)
            if not is_over(daemon, seconds / 4):
                kill_all(daemon)
            assert daemon.wait() in {KILLED, -signal.SIGHUP}, self._scenario.errors
        self._kills += 1

    def _check_beside(self, seconds: float) -> None:
        """Run `check`, which hands its request to the daemon; kill the daemon before or after the answer."""
        with self._scenario.collector.window():
            daemon = self._start("run")
            time.sleep(seconds)
            check = self._start("check")
            if not is_over(check, seconds / 2):
                kill_all(daemon)
            self._finish(check)
            kill_all(daemon)
            self._kills += daemon.wait() < 0

    def _end(self) -> None:
        """Let everything work again, run once, and expect every true notice."""
        scenario = self._scenario
        scenario.collector.manner, scenario.collector.mail_is_closed = lambda _: Manner.TAKE, False
        scenario.world.update_server.recover()
        self._allow()
        for place, row in self._true_rows():
            scenario.collector.want(place, row, f"{row.removesuffix('!')}!")
        scenario.recover()


def _weighted(choices: Mapping[T, int]) -> tuple[tuple[T, ...], tuple[int, ...]]:
    return tuple(choices), tuple(choices.values())
