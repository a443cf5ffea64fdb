"""The sweeps: in each, a command is killed at every step of one situation.

::

    for step in range(1, sweep.measure(starter) + 1):
        account, was_killed = sweep.kill_at(step, starter)
"""

from collections.abc import Callable
from dataclasses import dataclass

from crashes.scenario import Scenario
from processes.starters import Starter
from simulators.collector import Account, Manner


@dataclass(frozen=True, slots=True)
class Sweep:
    """One situation in which the program is killed."""

    name: str
    prepare: Callable[[Scenario], None]
    arguments: tuple[str, ...] = ("check",)
    is_daemon: bool = False
    victim: str = "all"
    """`all`: the program with its child processes; `child`: one child alone."""

    def measure(self, starter: Starter) -> int:
        """Return the number of steps of the command when it is not killed."""
        with Scenario(starter) as scenario:
            self.prepare(scenario)
            return len(
                scenario.count_steps(*self.arguments, until=scenario.is_all_delivered if self.is_daemon else None)
            )

    def kill_at(self, step: int, starter: Starter) -> tuple[Account, bool]:
        """Kill the program at one step, and run it once more.

        Returns:
            The account of the deliveries, and whether it was killed: a run with fewer steps ends before.
        """
        with Scenario(starter) as scenario:
            self.prepare(scenario)
            was_killed = scenario.run_and_kill(
                step,
                *self.arguments,
                until=scenario.is_all_delivered if self.is_daemon else None,
                victim=self.victim,
            )
            scenario.recover()
            assert scenario.run("check") == 0, scenario.errors
            return scenario.collector.account(), was_killed


def first_check(scenario: Scenario) -> None:
    """There is no ledger yet; five recipients and the log are to be notified."""
    scenario.publish("4.5.20", urgent=True)
    scenario.publish("4.7.6", type="minor")


def one_mail(scenario: Scenario) -> None:
    """One recipient of mail: the steps have the same order in each run."""
    scenario.set_recipients({"all@social.example": "all"})
    scenario.world.set(UPDATE_CHECK_SINKS="email")
    scenario.publish("4.5.20")


def one_hook(scenario: Scenario) -> None:
    """One webhook, likewise."""
    scenario.set_recipients({"/one": "all"})
    scenario.world.set(UPDATE_CHECK_SINKS="webhook")
    scenario.publish("4.5.20")


def moved_on(scenario: Scenario) -> None:
    """After failed deliveries, the feed has changed: rows are cancelled, superseded and planned."""
    manners = {"/one": Manner.TAKE_AND_CUT, "/two": Manner.CUT, "patch@social.example": Manner.REFUSE}
    scenario.collector.manner = lambda place: manners.get(place, Manner.PUT_OFF)
    for place in scenario.places:
        scenario.collector.allow(place, "4.5.20", "4.7.6")
    scenario.world.update_server.publish("4.5.20")
    scenario.world.update_server.publish("4.7.6", type="minor")
    scenario.run("check")
    scenario.collector.manner = lambda _: Manner.TAKE
    scenario.world.update_server.withdraw("4.7.6")
    scenario.publish("4.5.20", urgent=True)
    scenario.publish("4.5.21")
    scenario.world.let_pass(days=8)


SWEEPS = (
    Sweep("check: the first check", first_check),
    Sweep("check: one mail", one_mail),
    Sweep("check: one webhook", one_hook),
    Sweep("check: the feed has moved on", moved_on),
    Sweep("run: the first check", first_check, ("run",), is_daemon=True),
    Sweep("run: the feed has moved on", moved_on, ("run",), is_daemon=True),
    Sweep("run: one child killed", first_check, ("run",), is_daemon=True, victim="child"),
)
