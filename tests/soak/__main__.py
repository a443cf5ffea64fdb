"""`python -m soak`: kill the program at every step and at random moments, and count lost and repeated notices.

Steps, seeds and runs of the model take turns. After the last step the seeds continue until their number or the time is
reached. Exit status 1 when a notice was lost, or repeated outside the documented windows.
"""

import sys
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from itertools import islice, zip_longest
from multiprocessing import get_context
from random import Random
from statistics import median

from crashes.sweeps import SWEEPS
from soak import isolation
from soak.tally import Tally
from soak.tasks import Model, Seed, Step, Task, begin, measure, perform

MODEL_EVERY = 15
"""Seeds between two runs of the model."""


def main() -> int:
    """Run what the arguments name; return the exit status."""
    parser = ArgumentParser(prog="python -m soak", description="Kill the program at every step, and count.")
    parser.add_argument("--seeds", type=int, default=5000, help="number of random lives (5000)")
    parser.add_argument("--first", type=int, default=0, metavar="SEED", help="seed of the first one (0)")
    parser.add_argument("--minutes", type=float, default=20, help="start no task after this time (20)")
    parser.add_argument("--workers", type=int, default=2, help="number of parallel processes (2)")
    only = parser.add_mutually_exclusive_group()
    only.add_argument("--only-seeds", action="store_true", help="no steps, no model: repeats a life")
    only.add_argument("--only-steps", action="store_true", help="no seeds, no model")
    arguments = parser.parse_args()
    tally = Tally()
    with ProcessPoolExecutor(arguments.workers, get_context("spawn"), begin) as pool:
        steps = [] if arguments.only_seeds else _steps(pool)
        tally.steps_of = len(steps)
        _run(pool, _tasks(arguments, steps), tally, arguments)
    print(tally.describe(), flush=True)
    if not arguments.only_seeds:
        seconds = sorted(isolation.measure() for _ in range(5))
        print(
            f"{'seconds to serve others beside a hanging sink:':<46}{median(seconds):>11.2f}, at most {seconds[-1]:.2f}"
        )
    return 1 if tally.faults else 0


def _steps(pool: ProcessPoolExecutor) -> list[Step]:
    """Return every step of every sweep, shuffled, so that a short run covers all parts."""
    counts = pool.map(measure, range(len(SWEEPS)))
    steps = [Step(sweep, step) for sweep, count in enumerate(counts) for step in range(1, count + 1)]
    Random(1).shuffle(steps)  # noqa: S311 - an order, not a secret
    return steps


def _tasks(arguments: Namespace, steps: list[Step]) -> Iterator[Task]:
    seeds = (Seed(arguments.first + number) for number in range(0 if arguments.only_steps else arguments.seeds))
    for number, pair in enumerate(zip_longest(steps, seeds), 1):
        yield from (task for task in pair if task is not None)
        if number % MODEL_EVERY == 0 and not (arguments.only_seeds or arguments.only_steps):
            yield Model()


def _run(pool: ProcessPoolExecutor, tasks: Iterator[Task], tally: Tally, arguments: Namespace) -> None:
    """Keep every worker busy until the tasks or the time run out."""
    end = tally.began + 60 * arguments.minutes
    running: set[Future[Tally]] = set()
    while True:
        room = 2 * arguments.workers - len(running) if time.monotonic() < end else 0
        running |= {pool.submit(perform, task) for task in islice(tasks, room)}
        if not running:
            return
        done, running = wait(running, return_when=FIRST_COMPLETED)
        for future in done:
            tally.add(future.result())


if __name__ == "__main__":
    sys.exit(main())
