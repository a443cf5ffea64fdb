"""The ledger on SQLite and on PostgreSQL side by side: a check that finds nothing new, and messages recorded a second.

Both write to the disk for every commit. A daemon stands for its part in the ledger: it claims a message, makes sure
that the claim stands, and records an acceptance; nothing is sent.
"""

import functools
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from statistics import median

from bench.stage import HERE, Stage
from mastodon_update_check.domain.recipients import Recipient
from mastodon_update_check.ledger.engine import Place
from mastodon_update_check.ledger.ledger import Ledger
from mastodon_update_check.ledger.sqlite import FilePlace

sys.path.append(str(HERE.parent / "tests"))  # the simulators
from ledger.examples import HOOK, NOW, accept, facts, replan, update
from ledger.places import postgres_place
from simulators.postgres import Postgres

MESSAGES = 40
DAEMONS = (1, 4)
RELEASES = (update("4.5.1"), update("4.5.2"))
ENGINES = ("SQLite", "PostgreSQL")


def show(_: Stage, rounds: int = 3) -> int:
    """Measure both in turn, and show the medians."""
    figures: dict[tuple[str, str], list[float]] = {}
    with Postgres(durable=True) as postgres, tempfile.TemporaryDirectory() as directory:
        for number in range(rounds):
            for engine in ENGINES:
                with _place(engine, postgres, Path(directory, str(number))) as place:
                    for name, figure in _measure(place):
                        figures.setdefault((name, engine), []).append(figure)
    for name in dict.fromkeys(name for name, _ in figures):
        ours = {engine: median(figures[name, engine]) for engine in ENGINES}
        ratio = median(b / a for a, b in zip(figures[name, "SQLite"], figures[name, "PostgreSQL"], strict=True))
        print(f"{name}: SQLite {ours['SQLite']:.1f}, PostgreSQL {ours['PostgreSQL']:.1f}; ratio {ratio:.2f}")
    return 0


@contextmanager
def _place(engine: str, postgres: Postgres, path: Path) -> Iterator[Place]:
    if engine == "SQLite":
        yield FilePlace(path)
        return
    with postgres_place(postgres) as place:
        yield place


def _measure(place: Place) -> Iterator[tuple[str, float]]:
    people = [replace(HOOK, key=f"webhook:{number}") for number in range(MESSAGES)]
    with Ledger.create(place) as ledger:
        for number, daemons in enumerate(DAEMONS):
            replan(ledger, facts(*RELEASES[: number + 1], to=people))
            seconds = _time(functools.partial(_deliver, place, daemons))
            yield f"messages recorded a second, {daemons} at once", MESSAGES / seconds
    yield (
        "milliseconds in the ledger for a check of nothing new",
        1000 * _time(functools.partial(_check, place, people)),
    )


def _check(place: Place, people: Sequence[Recipient]) -> None:
    with Ledger.open(place, verify=False) as ledger:
        replan(ledger, facts(*RELEASES, to=people))


def _deliver(place: Place, daemons: int) -> None:
    with ThreadPoolExecutor(daemons) as pool:
        list(pool.map(lambda _: _work(place), range(daemons)))


def _work(place: Place) -> None:
    with Ledger.open(place, verify=False) as ledger:
        while (claim := ledger.claim("social.example", "webhook", "fingerprint-1", NOW, NOW)) is not None:
            ledger.renew(claim, NOW)
            accept(ledger, claim)


def _time(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
