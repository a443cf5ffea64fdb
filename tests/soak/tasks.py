"""What the workers of a soak run do: one step of a sweep, one life, or some runs of the model."""

import tempfile
from dataclasses import dataclass

from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from crashes.anew import Anew
from crashes.scene import FAST
from crashes.sweeps import SWEEPS
from ledger.test_model import Deliveries
from processes.starters import Forked
from soak.life import Life
from soak.tally import Tally

ANEW_EVERY = 20
"""Every so many seeds, the program is started anew each time instead of forked."""
ANEW_PACE = 4
EXAMPLES = 25
"""How often the model is run in one task."""
MODEL = settings(
    max_examples=EXAMPLES,
    stateful_step_count=60,
    deadline=None,
    database=None,
    print_blob=False,
    suppress_health_check=list(HealthCheck),
)
_forked = Forked()


@dataclass(frozen=True, slots=True)
class Step:
    """Kill at one step of a sweep."""

    sweep: int
    number: int

    def __str__(self) -> str:
        return f"{SWEEPS[self.sweep].name}, step {self.number}"

    def perform(self, tally: Tally) -> None:
        """Do it."""
        account, was_killed = SWEEPS[self.sweep].kill_at(self.number, _forked)
        tally.take(str(self), account)
        tally.counts.update(steps=1, kills=was_killed, runs=3)


@dataclass(frozen=True, slots=True)
class Seed:
    """Live one life."""

    number: int

    def __str__(self) -> str:
        return f"seed {self.number}"

    def perform(self, tally: Tally) -> None:
        """Do it."""
        is_anew = self.number % ANEW_EVERY == ANEW_EVERY - 1
        life = Life(self.number, Anew(), ANEW_PACE) if is_anew else Life(self.number, _forked)
        story = life.live()
        tally.take(str(self), story.account)
        tally.counts.update(seeds=1, anew=is_anew, kills=story.kills, runs=story.runs)


@dataclass(frozen=True, slots=True)
class Model:
    """Run the stateful model of ledger and planner, with other moves each time."""

    def __str__(self) -> str:
        return "model"

    def perform(self, tally: Tally) -> None:
        """Do it."""
        run_state_machine_as_test(Deliveries, settings=MODEL)
        tally.counts.update(examples=EXAMPLES)


Task = Step | Seed | Model


def begin() -> None:
    """Get a worker ready."""
    tempfile.tempdir = str(FAST) if FAST.is_dir() else None
    _forked.__enter__()


def measure(sweep: int) -> int:
    """Return how many steps a sweep has."""
    return SWEEPS[sweep].measure(_forked)


def perform(task: Task) -> Tally:
    """Do one task, whatever it comes to."""
    tally = Tally()
    try:
        task.perform(tally)
    except ExceptionGroup as group:  # what the model finds in one go
        tally.faults += [_describe(task, error) for error in group.exceptions]
    except (AssertionError, OSError) as error:  # one that breaks is told, and the others go on
        tally.faults.append(_describe(task, error))
    return tally


def _describe(task: Task, error: Exception) -> str:
    return "\n".join((f"{task}: {type(error).__name__}: {error}", *getattr(error, "__notes__", ())))
