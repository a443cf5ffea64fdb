# ruff: noqa: T201  # it prints what it finds
"""`python -m cluster [ROUNDS] [LIVES AT ONCE]`: four daemons, in each round one is killed and one frozen; figures."""

import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from cluster.life import ROUNDS_A_LIFE, Figures, Life, describe
from ledger.places import postgres_place, url
from simulators.postgres import Postgres


def live(postgres: Postgres, first: int, rounds: int) -> Figures:
    """Go through one life on a ledger of its own."""
    with tempfile.TemporaryDirectory() as home, postgres_place(postgres) as place:
        return Life(Path(home), place, url(postgres, place.address.schema)).live(rounds, first)


def main(rounds: int, at_once: int) -> int:
    """Go through so many rounds; return an exit code."""
    figures = Figures()
    starts = range(0, rounds, ROUNDS_A_LIFE)
    with Postgres() as postgres, ThreadPoolExecutor(at_once) as pool:
        with postgres_place(postgres):  # makes the database, once
            pass
        lives = [pool.submit(live, postgres, first, min(ROUNDS_A_LIFE, rounds - first)) for first in starts]
        for one in lives:
            figures.add(one.result())
            print(f"{figures.rounds} rounds", file=sys.stderr, flush=True)
    for name, value in describe(figures).items():
        print(f"{name}: {value}")
    for trouble in (*figures.lost, *figures.repeats_outside):
        print(trouble)
    return 1 if figures.lost or figures.repeats_outside else 0


if __name__ == "__main__":
    numbers = [int(word) for word in sys.argv[1:]]
    sys.exit(main(*([*numbers, *(200, 4)[len(numbers) :]])))
