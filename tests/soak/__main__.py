"""`python -m soak`: kill the program at every step and at random moments, and say what came of it.

Steps and seeds take turns; when every step has been killed at, seeds go on until there have been enough of them or the
time is up. Exit code 1 when anything was lost, or came twice without an excuse.
"""

import sys
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from itertools import chain, islice, zip_longest
from multiprocessing import get_context
from random import Random

from crashes.sweeps import SWEEPS
from soak.tally import Tally
from soak.tasks import Task, begin, measure, perform


def main() -> int:
    """Do what the arguments ask for; return the exit code."""
    parser = ArgumentParser(prog="python -m soak", description="Kill the program again and again, and count.")
    parser.add_argument("--seeds", type=int, default=3000, help="how many lives with kills at random moments (3000)")
    parser.add_argument("--first", type=int, default=0, metavar="SEED", help="the first of them (0)")
    parser.add_argument("--minutes", type=float, default=20, help="no new one after this time (20)")
    parser.add_argument("--workers", type=int, default=2, help="how many at the same time (2)")
    parser.add_argument("--no-steps", action="store_true", help="only seeds")
    arguments = parser.parse_args()
    tally = Tally()
    with ProcessPoolExecutor(arguments.workers, get_context("spawn"), begin) as pool:
        steps = [] if arguments.no_steps else _steps(pool)
        tally.steps_of = len(steps)
        _work(pool, _tasks(arguments, steps), tally, arguments)
    print(tally.describe(), flush=True)
    return 1 if tally.faults else 0


def _steps(pool: ProcessPoolExecutor) -> list[Task]:
    """Return every step of every sweep, in an order that looks at all parts soon."""
    counts = pool.map(measure, range(len(SWEEPS)))
    steps = [Task(sweep=index, number=step) for index, count in enumerate(counts) for step in range(1, count + 1)]
    Random(1).shuffle(steps)  # noqa: S311 - an order, no secret
    return steps


def _tasks(arguments: Namespace, steps: list[Task]) -> Iterator[Task]:
    seeds = (Task(sweep=None, number=arguments.first + number) for number in range(arguments.seeds))
    pairs = zip_longest(steps, seeds)
    return (task for task in chain.from_iterable(pairs) if task is not None)


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
