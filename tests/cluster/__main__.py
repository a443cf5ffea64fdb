# ruff: noqa: T201  # it prints its results
"""`python -m cluster`: real daemons on one ledger in PostgreSQL; in each round the owner fails in one way.

Exit status 1 when a notice was lost, or repeated outside the documented windows, or a takeover took longer than 30 s.
"""

import sys
import tempfile
import time
from argparse import ArgumentParser
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from queue import SimpleQueue
from statistics import median

from cluster.rounds import ROUNDS_A_LIFE, Figures, live
from ledger.locations import postgres_location
from simulators.postgres import Postgres


def main() -> int:
    """Run the rounds; return the exit status."""
    parser = ArgumentParser(prog="python -m cluster", description="Let the owner of a shared ledger fail, and count.")
    parser.add_argument("--rounds", type=int, default=200, help="number of rounds (200)")
    parser.add_argument("--first", type=int, default=0, metavar="ROUND", help="number of the first one (0)")
    parser.add_argument("--clusters", type=int, default=8, help="number of clusters at the same time (8)")
    parser.add_argument("--minutes", type=float, default=60, help="start no cluster after this time (60)")
    arguments = parser.parse_args()
    began = time.monotonic()
    end = arguments.first + arguments.rounds
    figures = Figures()
    with ExitStack() as stack, ThreadPoolExecutor(arguments.clusters) as pool:
        servers: SimpleQueue[Postgres] = SimpleQueue()
        for _ in range(arguments.clusters):
            server = stack.enter_context(Postgres(durable=True))
            with postgres_location(server):  # creates the database
                servers.put(server)

        def run(first: int) -> Figures:
            server = servers.get()
            if time.monotonic() - began > 60 * arguments.minutes:
                servers.put(server)
                return Figures()
            try:
                with tempfile.TemporaryDirectory(prefix="cluster") as home:
                    return live(Path(home), server, first, min(ROUNDS_A_LIFE, end - first))
            finally:
                servers.put(server)

        for one in pool.map(run, range(arguments.first, end, ROUNDS_A_LIFE)):
            figures.add(one)
            print(f"{figures.rounds.total()} rounds", file=sys.stderr, flush=True)
            for fault in one.faults:
                print(f"FAULT  {fault}", flush=True)
    print(describe(figures, (time.monotonic() - began) / 60))
    return 1 if figures.faults else 0


def describe(figures: Figures, minutes: float) -> str:
    """Return the figures, a line each."""
    every = [second for seconds in figures.takeovers.values() for second in seconds]
    lines = {
        "minutes": f"{minutes:.1f}",
        "rounds": f"{figures.rounds.total():,}",
        **{f"  {name}": f"{count:,}" for name, count in sorted(figures.rounds.items())},
        "notices delivered": f"{figures.notified:,}",
        "lost": f"{figures.lost:,}",
        "repeats outside the windows": f"{figures.repeats_outside:,}",
        "repeats inside them, with the same id": f"{figures.repeats_inside:,}",
        "takeover in seconds, median and maximum": _median_and_maximum(every),
        **{f"  after {name}": _median_and_maximum(found) for name, found in sorted(figures.takeovers.items())},
        "failure to the last notice in seconds": _median_and_maximum(figures.seconds),
        "faults": f"{len(figures.faults):,}",
    }
    return "\n".join(f"{name + ':':<46}{value:>16}" for name, value in lines.items())


def _median_and_maximum(seconds: list[float]) -> str:
    return f"{median(seconds):.1f}, {max(seconds):.1f}" if seconds else "-"


if __name__ == "__main__":
    sys.exit(main())
