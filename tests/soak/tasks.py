"""The tasks of a soak run: one step of a sweep, one life, or some runs of the model."""

import tempfile
from dataclasses import dataclass

from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from crashes.scenario import FAST, NewInterpreter
from crashes.sweeps import SWEEPS
from ledger.model import Deliveries
from processes.starters import Forked
from soak.life import Life
from soak.tally import Tally

NEW_EVERY = 20
"""One of so many seeds starts a new interpreter for each command instead of forking."""
EXAMPLES = 25
"""Examples of the model in one task."""
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
        """Run it, and count the results."""
        account, was_killed = SWEEPS[self.sweep].kill_at(self.number, _forked)
        tally.take(str(self), account)
        tally.counts.update(steps=1, kills=was_killed, runs=3)


@dataclass(frozen=True, slots=True)
class Seed:
    """Run one random life."""

    number: int

    def __str__(self) -> str:
        return f"seed {self.number}"

    def perform(self, tally: Tally) -> None:
        """Run it, and count the results."""
        is_new = self.number % NEW_EVERY == NEW_EVERY - 1
        story = Life(self.number, NewInterpreter() if is_new else _forked).live()
        tally.take(str(self), story.account)
        tally.counts.update(seeds=1, new=is_new, kills=story.kills, runs=story.runs)


@dataclass(frozen=True, slots=True)
class Model:
    """Run the stateful model of ledger and planner, with random moves."""

    def __str__(self) -> str:
        return "model"

    def perform(self, tally: Tally) -> None:
        """Run it, and count the results."""
        run_state_machine_as_test(Deliveries, settings=MODEL)
        tally.counts.update(examples=EXAMPLES)


Task = Step | Seed | Model


def begin() -> None:
    """Prepare a worker."""
    tempfile.tempdir = str(FAST) if FAST.is_dir() else None
    _forked.__enter__()


def measure(sweep: int) -> int:
    """Return the number of steps of a sweep."""
    return SWEEPS[sweep].measure(_forked)


def perform(task: Task) -> Tally:
    """Run one task; exceptions become violations."""
    tally = Tally()
    try:
        task.perform(tally)
    except ExceptionGroup as group:  # of the model
        tally.faults += [_describe(task, error) for error in group.exceptions]
    except (AssertionError, OSError) as error:  # the other tasks continue
        tally.faults.append(_describe(task, error))
    return tally


def _describe(task: Task, error: Exception) -> str:
    return "\n".join((f"{task}: {type(error).__name__}: {error}", *getattr(error, "__notes__", ())))
