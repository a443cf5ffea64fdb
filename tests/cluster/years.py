# ruff: noqa: T201  # it prints what it measures
"""`python -m cluster.years [WEEKS]`: copies and a backup of a ledger that has told a thousand people for ten years."""

import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from ledger.examples import NOW, accept, facts, replan, take, update
from ledger.places import postgres_place, query
from mastodon_update_check.domain.status import ALIVE
from mastodon_update_check.ledger.copying import copy
from mastodon_update_check.ledger.engine import Place
from mastodon_update_check.ledger.ledger import Ledger
from mastodon_update_check.ledger.schema import TABLES
from mastodon_update_check.ledger.sqlite import FilePlace
from simulators.postgres import Postgres

WEEKS = 10 * 52
PEOPLE = 1_000
KEPT = 13
"""Weeks whose attempts are kept."""


def fill(place: FilePlace, weeks: int) -> None:
    """Have told everybody for so many weeks: one message, as it is when it was accepted, as often as that."""
    with Ledger.create(place) as ledger:
        replan(ledger, facts(update("4.5.1")))
        accept(ledger, take(ledger))
    counter = "WITH RECURSIVE {0} (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM {0} WHERE n < {1})"
    numbers = f"{counter.format('week', weeks)}, {counter.format('person', PEOPLE).removeprefix('WITH RECURSIVE ')}"
    changed = {
        "message": {"id": "printf('%016x%016x', week.n, person.n)", "recipient_key": "'user:' || person.n"},
        "delivery": {
            "message_id": "printf('%016x%016x', week.n, person.n)",
            "recipient_key": "'user:' || person.n",
            "identity": "'update/4.5.' || (week.n + 1)",
            "subject": "'update/4.5.' || (week.n + 1)",
        },
        "attempt": {"message_id": "printf('%016x%016x', week.n, person.n)"},
    }
    for table, columns in changed.items():
        names = [name for _, name, *_ in query(place, f"PRAGMA table_info({table})")]
        values = ", ".join(columns.get(name, name) for name in names)
        some = f"WHERE week.n > {weeks - KEPT}" if table == "attempt" else ""
        query(place, f"INSERT INTO {table} {numbers} SELECT {values} FROM {table}, week, person {some}")  # noqa: S608 - ours


def sums(place: Place) -> Iterator[tuple[object, ...]]:
    """Return what tells whether something is missing."""
    for table in set(TABLES) - {"meta"}:
        yield table, *query(place, f"SELECT count(*) FROM {table}")  # noqa: S608 - our own names
    yield from query(place, "SELECT min(id), max(id), min(recipient_key), max(recipient_key) FROM message")


def measure(postgres: Postgres, home: Path, weeks: int) -> Mapping[str, float]:
    """Copy it into PostgreSQL, by a backup out of it, and back by a copy; return how long each took."""
    place, later, seconds = FilePlace(home / "ledger.sqlite3"), NOW + 2 * ALIVE, {}
    backup, again = FilePlace(home / "backup.sqlite3"), FilePlace(home / "copy.sqlite3")
    fill(place, weeks)
    with postgres_place(postgres) as there:
        works: dict[str, Callable[[], object]] = {
            "into PostgreSQL": lambda: copy(place, there, later),
            "a backup out of it": lambda: there.back_up(backup.path),
            "back into a file": lambda: copy(there, again, later),
        }
        for name, work in works.items():
            began = time.monotonic()
            work()
            seconds[name] = time.monotonic() - began
        for copied in (there, backup, again):
            assert set(sums(place)) == set(sums(copied))
    return seconds


def main(weeks: int = WEEKS) -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as home, Postgres(durable=True) as postgres:
        seconds = measure(postgres, Path(home), weeks)
        size = Path(home, "ledger.sqlite3").stat().st_size / 1e6
    print(f"{weeks * PEOPLE:,} messages, {size:.0f} MB:")
    for name, figure in seconds.items():
        print(f"  {name}: {figure:.0f} s")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
