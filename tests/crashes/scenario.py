"""A server whose program is killed, and a collector that is notified by mail and by two webhooks.

::

    with Scenario(starter) as scenario:
        scenario.publish("4.5.20")
        scenario.run_and_kill(17, "check")
        scenario.recover()
        scenario.collector.check()
"""

import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Self

from end_to_end.world import World
from processes.starters import KILLED, Order, Process, Starter, is_over, kill_all
from simulators.collector import Collector
from simulators.scripted_smtp_server import ScriptedSmtpServer

ADDRESSES = {"all@social.example": "all", "patch@social.example": "patch", "critical@social.example": "critical"}
WEBHOOKS = {"/one": "all", "/two": "critical"}
RECIPIENTS = ADDRESSES | WEBHOOKS
"""The default recipients, each with a preference."""
LONGEST = 60.0
SITE = str(Path(__file__).with_name("site"))
"""Where child processes find `steps`."""
MAILS_A_DAY = 6
FAST = Path("/dev/shm")  # noqa: S108 - a directory of our own is made in it
"""A directory in memory, which is fast; SIGKILL does not lose what a process has written to a file."""


class NewInterpreter:
    """Starts a new interpreter each time, as an installed program does."""

    def start(self, order: Order) -> Process:
        with order.out.open("wb") as out, order.err.open("wb") as err:
            return subprocess.Popen(
                [sys.executable, "-m", "mastodon_update_check", *order.arguments],
                env={**order.environment, "PYTHONPATH": SITE, "PYTHONDONTWRITEBYTECODE": "1"},
                cwd=order.directory,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
            )


class Scenario:
    """Lasts as long as its context, and removes its files at the end."""

    def __init__(self, starter: Starter) -> None:
        self.places = dict(RECIPIENTS)
        """The recipients, each with a preference."""
        self._starter = starter
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        directory = tempfile.TemporaryDirectory(dir=FAST if FAST.is_dir() else None)
        home = Path(self._stack.enter_context(directory))
        # The collector takes the mail; the mail server of the world is not used.
        self.world = self._stack.enter_context(World(home, ScriptedSmtpServer()))
        self.collector = self._stack.enter_context(Collector())
        self.world.use_collector(self.collector)
        self.world.set(UPDATE_CHECK_INTERVAL="3s", UPDATE_CHECK_JITTER="0")
        self.world.set(UPDATE_CHECK_REMINDERS="none")  # days pass here, and a reminder would be due
        self.set_recipients(RECIPIENTS)
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def set_recipients(self, places: Mapping[str, str]) -> None:
        """Set the recipients; a sink without recipients is removed."""
        self.places = dict(places)
        people = [f"{place}={wish}" for place, wish in places.items() if place in ADDRESSES]
        hooks = [place for place in places if place in WEBHOOKS]
        sinks = ["log", *(["email"] if people else []), *(["webhook"] if hooks else [])]
        self.world.set(UPDATE_CHECK_RECIPIENTS=",".join(people) or "devops", UPDATE_CHECK_SINKS=",".join(sinks))
        for hook in WEBHOOKS:
            name = f"UPDATE_CHECK_WEBHOOK_{hook.strip('/').upper()}"
            url = self.collector.receiver.url(hook)
            is_set = hook in hooks
            self.world.set(
                **{f"{name}_URL": url if is_set else None, f"{name}_PREFERENCE": places[hook] if is_set else None}
            )

    def publish(self, version: str, *, urgent: bool = False, type: str = "patch") -> None:  # noqa: A002 - the feed's own word
        """Publish a release, and expect a notice to each recipient whose preference admits it."""
        self.world.update_server.publish(version, urgent=urgent, type=type)
        for place, preference in self.places.items():
            if admits(preference, urgent=urgent, type=type):
                self.collector.want(place, f"{version}!" if urgent else version)

    def start(self, *arguments: str, **environment: str) -> Process:
        """Start the program."""
        variables = self.world.variables | environment
        directory = self.world.directory
        out, err = directory / "out", directory / "err"
        return self._starter.start(
            Order(arguments=arguments, environment=variables, directory=directory, out=out, err=err)
        )

    def run(self, *arguments: str) -> int:
        """Run the program to its end; return its exit code."""
        return self.start(*arguments).wait()

    def run_and_kill(
        self, step: int, *arguments: str, until: Callable[[], bool] | None = None, victim: str = "all"
    ) -> bool:
        """Run the program, which is killed at a step; return whether it was, and did not end before.

        Args:
            step: the number of the fatal step.
            arguments: the command.
            until: when to kill a daemon that does not reach that step.
            victim: `all`, or `child`: only the child process that takes the step, while the daemon continues.
        """
        file = self._step_file()
        with self.collector.window():
            process = self.start(
                *arguments, STEPS_FATAL=str(step), STEPS_FILE=str(file), STEPS_VICTIM=victim, PYTHONPATH=SITE
            )
            if until is not None:
                wait_for(lambda: is_over(process, 0.005) or until())
                kill_all(process)
            code = process.wait()
        self.settle()
        assert code in {KILLED, 0, 75}, self.errors
        return code == KILLED

    def count_steps(self, *arguments: str, until: Callable[[], bool] | None = None) -> list[str]:
        """Run the program, and return its steps; a daemon is killed when `until` is true."""
        file = self._step_file()
        process = self.start(*arguments, STEPS_FILE=str(file), PYTHONPATH=SITE)
        if until is not None:
            wait_for(lambda: is_over(process, 0.005) or until())
            kill_all(process)
        assert process.wait() in {KILLED if until else 0, 75}, self.errors
        return [line.strip() for line in file.read_text().splitlines()]

    def _step_file(self) -> Path:
        file = self.world.directory / "steps"
        file.unlink(missing_ok=True)
        return file

    def settle(self) -> None:
        """Tell the collector which acceptances the ledger has recorded: these must not repeat."""
        self.collector.settle(self.recorded())

    def recorded(self) -> list[tuple[str, str]]:
        """Return the message ids and rows that the ledger has recorded as sent, as the collector names them."""
        if not self.world.ledger.exists():
            return []
        with closing(sqlite3.connect(self.world.ledger)) as connection:
            rows = connection.execute("SELECT message_id, identity FROM delivery WHERE state = 'sent'").fetchall()
        return [(key, _name_row(key, identity)) for key, identity in rows]

    def let_pass(self, **duration: float) -> None:
        """Let time pass, if there is a ledger."""
        if self.world.ledger.exists():
            self.world.let_pass(**duration)

    def recover(self) -> None:
        """Let time pass and run one clean check; further ones only because of the cap of mails a day."""
        for _ in range(3):
            self.let_pass(days=8)
            before = len(self.collector.arrivals)
            if self.run("check") == 0:
                return
            mails = Counter(arrival.place for arrival in self.collector.arrivals[before:])
            assert max(mails.values(), default=0) >= MAILS_A_DAY, self.errors
        raise AssertionError(self.errors)

    def is_all_delivered(self) -> bool:
        """Whether every wanted notice has arrived, and the ledger has recorded it."""
        if self.collector.account().lost:
            return False
        return self.world.rows("SELECT count(*) FROM message WHERE state IN ('pending', 'failed')") == [(0,)]

    @property
    def errors(self) -> str:
        """The standard error of the last run."""
        return (self.world.directory / "err").read_text()


def wait_for(is_true: Callable[[], bool]) -> None:
    """Wait for a condition."""
    end = time.monotonic() + LONGEST
    while not is_true():
        assert time.monotonic() < end, "timeout"


def _name_row(key: str, identity: str) -> str:
    kind, _, rest = identity.partition("/")
    version, _, urgency = rest.partition("/")
    if kind != "update" or urgency not in {"plain", "urgent"}:  # a reminder, or the end
        return f"notice {key}"
    return f"{version}{'!' if urgency == 'urgent' else ''}"


def admits(preference: str, *, urgent: bool, type: str) -> bool:  # noqa: A002 - the feed's own word
    """Whether a preference admits a release; independent of the program's own rule."""
    wanted = {"none": False, "critical": urgent, "patch": urgent or type == "patch", "all": True}
    return wanted[preference]
