"""Plan: 10,000 rows decided and stored in one transaction, against a bare `executemany` of the very same rows.

The bare one writes into tables and indexes of the same shape, with the same durability.
"""

import shutil
import sqlite3
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from bench.claim import Claim, alternate
from bench.stage import Stage
from mastodon_update_check.domain.facts import Facts
from mastodon_update_check.domain.feeds import Feed
from mastodon_update_check.domain.notices import UpdateNotice
from mastodon_update_check.domain.planning import plan, subjects
from mastodon_update_check.domain.recipients import Recipient
from mastodon_update_check.domain.versions import MastodonVersion
from mastodon_update_check.ledger.ledger import Ledger

LIMIT = 3.0
RECIPIENTS, RELEASES = 250, 40
_TABLES = ("message", "delivery")


def measure(stage: Stage, rounds: int = 21) -> Claim:
    """Measure one first check's plan, from reading the empty ledger to the commit."""
    facts = _facts()
    empty, full = stage.directory / "empty.sqlite3", stage.directory / "full.sqlite3"
    Ledger.create(empty).close()
    shutil.copy(empty, full)
    _time_ours(full, facts)
    with closing(sqlite3.connect(full)) as connection:
        # In the order of their keys, in which they go in most quickly.
        rows = {table: connection.execute(f"SELECT * FROM {table} ORDER BY 1, 2, 3").fetchall() for table in _TABLES}  # noqa: S608 - names of our own
    if len(rows["delivery"]) != RECIPIENTS * RELEASES:
        sys.exit("not every row was planned")

    def reference() -> float:
        with _copied(empty) as path:
            return _time_bare(path, rows)

    def ours() -> float:
        with _copied(empty) as path:
            return _time_ours(path, facts)

    return Claim(
        name="plan",
        our_name=f"planning and storing {RECIPIENTS} recipients x {RELEASES} releases",
        reference_name="a bare executemany of the same rows for each of the two tables, and a commit",
        unit="ms",
        pairs=alternate(reference, ours, rounds),
        limit=LIMIT,
    )


def _facts() -> Facts:
    people = tuple(
        Recipient(sink="email", key=f"user:{n}", address=f"user{n}@social.example", name=f"user{n}", role="Owner")
        for n in range(RECIPIENTS)
    )
    updates = tuple(UpdateNotice(version=MastodonVersion.parse(f"4.5.{n}")) for n in range(1, RELEASES + 1))
    return Facts(
        instance="social.example",
        now=datetime(2026, 11, 23, 12, tzinfo=UTC),
        installed=MastodonVersion.parse("4.5.0"),
        feed=Feed(updates=updates),
        recipients=people,
        sink_settings={"email": "fingerprint"},
    )


def _time_ours(path: Path, facts: Facts) -> float:
    with Ledger.open(path, verify=False) as ledger:
        began = time.perf_counter()
        with ledger.writing() as book:
            book.apply(facts.instance, plan(facts, book.deliveries(facts.instance, subjects(facts), facts.now)))
        return (time.perf_counter() - began) * 1000


def _time_bare(path: Path, rows: dict[str, list[tuple[object, ...]]]) -> float:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        began = time.perf_counter()
        connection.execute("BEGIN IMMEDIATE")
        for table, values in rows.items():
            marks = ", ".join("?" * len(values[0]))
            connection.executemany(f"INSERT INTO {table} VALUES ({marks})", values)  # noqa: S608 - names of our own
        connection.execute("COMMIT")
        return (time.perf_counter() - began) * 1000


@contextmanager
def _copied(path: Path) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(dir=path.parent) as directory:
        yield Path(shutil.copy(path, directory))
