"""What the workers of a soak run do: one step of a sweep, or one life."""

from dataclasses import dataclass

from crashes.processes import Anew, Forked
from crashes.sweeps import SWEEPS
from soak.life import Life
from soak.tally import Tally

ANEW_EVERY = 20
"""Every so many seeds, the program is started anew each time instead of forked."""
ANEW_PACE = 4
_forked = Forked()


@dataclass(frozen=True, slots=True)
class Task:
    """A step of a sweep; or, without a sweep, a seed."""

    sweep: int | None
    number: int

    def __str__(self) -> str:
        if self.sweep is None:
            return f"seed {self.number} (--no-steps --seeds 1 --first {self.number})"
        return f"{SWEEPS[self.sweep].name}, step {self.number}"


def begin() -> None:
    """Get a worker ready."""
    _forked.__enter__()


def measure(sweep: int) -> int:
    """Return how many steps a sweep has."""
    return SWEEPS[sweep].measure(_forked)


def perform(task: Task) -> Tally:
    """Do one task, whatever it comes to."""
    tally = Tally()
    try:
        if task.sweep is None:
            _live(task, tally)
        else:
            account, was_killed = SWEEPS[task.sweep].kill_at(task.number, _forked)
            tally.take(str(task), account)
            tally.counts.update(steps=1, kills=was_killed, runs=3)
    except (AssertionError, OSError) as error:  # one that breaks is told, and the others go on
        tally.faults.append(f"{task}: {type(error).__name__}: {error}")
    return tally


def _live(task: Task, tally: Tally) -> None:
    is_anew = task.number % ANEW_EVERY == ANEW_EVERY - 1
    story = Life(task.number, Anew(), ANEW_PACE).live() if is_anew else Life(task.number, _forked).live()
    tally.take(str(task), story.account)
    tally.counts.update(seeds=1, anew=is_anew, kills=story.kills, runs=story.runs)
