"""`python -m soak`: kill the program at every step and at random moments, and say what came of it.

Steps, seeds and runs of the model take turns; when every step has been killed at, seeds go on until there have been
enough of them or the time is up. Exit code 1 when anything was lost, or came twice without an excuse.
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
"""The model is run once after so many seeds."""


def main() -> int:
    """Do what the arguments ask for; return the exit code."""
    parser = ArgumentParser(prog="python -m soak", description="Kill the program again and again, and count.")
    parser.add_argument("--seeds", type=int, default=5000, help="how many lives with kills at random moments (5000)")
    parser.add_argument("--first", type=int, default=0, metavar="SEED", help="the first of them (0)")
    parser.add_argument("--minutes", type=float, default=20, help="begin nothing new after this time (20)")
    parser.add_argument("--workers", type=int, default=2, help="how many at the same time (2)")
    only = parser.add_mutually_exclusive_group()
    only.add_argument("--only-seeds", action="store_true", help="no steps, no model: to live one life again")
    only.add_argument("--only-steps", action="store_true", help="no seeds, no model: every step once")
    arguments = parser.parse_args()
    tally = Tally()
    with ProcessPoolExecutor(arguments.workers, get_context("spawn"), begin) as pool:
        steps = [] if arguments.only_seeds else _steps(pool)
        tally.steps_of = len(steps)
        _work(pool, _tasks(arguments, steps), tally, arguments)
    print(tally.describe(), flush=True)
    if not arguments.only_seeds:
        seconds = sorted(isolation.measure() for _ in range(5))
        print(
            f"{'served while others fail or hang, in seconds:':<46}{median(seconds):>11.2f}, at most {seconds[-1]:.2f}"
        )
    return 1 if tally.faults else 0


def _steps(pool: ProcessPoolExecutor) -> list[Step]:
    """Return every step of every sweep, in an order that looks at all parts soon."""
    counts = pool.map(measure, range(len(SWEEPS)))
    steps = [Step(sweep, step) for sweep, count in enumerate(counts) for step in range(1, count + 1)]
    Random(1).shuffle(steps)  # noqa: S311 - an order, no secret
    return steps


def _tasks(arguments: Namespace, steps: list[Step]) -> Iterator[Task]:
    seeds = (Seed(arguments.first + number) for number in range(0 if arguments.only_steps else arguments.seeds))
    for number, pair in enumerate(zip_longest(steps, seeds), 1):
        yield from (task for task in pair if task is not None)
        if number % MODEL_EVERY == 0 and not (arguments.only_seeds or arguments.only_steps):
            yield Model()


def _work(pool: ProcessPoolExecutor, tasks: Iterator[Task], tally: Tally, arguments: Namespace) -> None:
    """Keep every worker busy until there are no more tasks, or the time is up."""
    end = tally.began + 60 * arguments.minutes
    under_way: set[Future[Tally]] = set()
    while True:
        room = 2 * arguments.workers - len(under_way) if time.monotonic() < end else 0
        under_way |= {pool.submit(perform, task) for task in islice(tasks, room)}
        if not under_way:
            return
        done, under_way = wait(under_way, return_when=FIRST_COMPLETED)
        for future in done:
            tally.add(future.result())


if __name__ == "__main__":
    sys.exit(main())
