"""What is killed at every step: one sweep is a situation and a command.

::

    for step in range(1, sweep.measure(starter) + 1):
        account, was_killed = sweep.kill_at(step, starter)
"""

from collections.abc import Callable
from dataclasses import dataclass

from crashes.scene import Scene
from processes.starters import Starter
from simulators.collector import Account, Manner


@dataclass(frozen=True, slots=True)
class Sweep:
    """One situation in which the program is killed."""

    name: str
    prepare: Callable[[Scene], None]
    arguments: tuple[str, ...] = ("check",)
    runs_for_ever: bool = False
    victim: str = "all"
    """What dies: the program with its child processes, or one child alone."""

    def measure(self, starter: Starter) -> int:
        """Return how many steps the command takes when nobody kills it."""
        with Scene(starter) as scene:
            self.prepare(scene)
            return len(scene.count_steps(*self.arguments, until=scene.is_all_told if self.runs_for_ever else None))

    def kill_at(self, step: int, starter: Starter) -> tuple[Account, bool]:
        """Kill the program at one step, and run it once more.

        Returns:
            What everybody has got by then, and whether it was killed: one with fewer steps this time ends by itself.
        """
        with Scene(starter) as scene:
            self.prepare(scene)
            was_killed = scene.run_fatally(
                step,
                *self.arguments,
                until=scene.is_all_told if self.runs_for_ever else None,
                victim=self.victim,
            )
            scene.recover()
            assert scene.run("check") == 0, scene.said
            return scene.collector.account(), was_killed


def first_check(scene: Scene) -> None:
    """Nothing is there yet, not even a ledger; five places and the log are to be told."""
    scene.publish("4.5.20", urgent=True)
    scene.publish("4.7.6", type="minor")


def one_mail(scene: Scene) -> None:
    """One recipient of mail: every step comes in the same order each time."""
    scene.tell({"all@social.example": "all"})
    scene.world.set(UPDATE_CHECK_SINKS="email")
    scene.publish("4.5.20")


def one_hook(scene: Scene) -> None:
    """One webhook, the same way."""
    scene.tell({"/one": "all"})
    scene.world.set(UPDATE_CHECK_SINKS="webhook")
    scene.publish("4.5.20")


def moved_on(scene: Scene) -> None:
    """Much has failed before, and the feed has moved on: rows are cancelled, superseded and planned."""
    manners = {"/one": Manner.TAKE_AND_CUT, "/two": Manner.CUT, "patch@social.example": Manner.REFUSE}
    scene.collector.manner = lambda place: manners.get(place, Manner.PUT_OFF)
    for place in scene.places:
        scene.collector.allow(place, "4.5.20", "4.7.6")
    scene.world.update_server.publish("4.5.20")
    scene.world.update_server.publish("4.7.6", type="minor")
    scene.run("check")
    scene.collector.manner = lambda _: Manner.TAKE
    scene.world.update_server.withdraw("4.7.6")
    scene.publish("4.5.20", urgent=True)
    scene.publish("4.5.21")
    scene.world.let_pass(days=8)


SWEEPS = (
    Sweep("check: the first one", first_check),
    Sweep("check: one mail", one_mail),
    Sweep("check: one webhook", one_hook),
    Sweep("check: the feed has moved on", moved_on),
    Sweep("run: from its start", first_check, ("run",), runs_for_ever=True),
    Sweep("run: the feed has moved on", moved_on, ("run",), runs_for_ever=True),
    Sweep("run: a child dies", first_check, ("run",), runs_for_ever=True, victim="child"),
)
