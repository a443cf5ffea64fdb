"""Lookup: asking 3,000,000 users' database for its staff, against 30,000 users'.

Both databases have the schema of Mastodon 4.7, the indexes too, and the same dozen of staff; filling them takes about
half a minute. The plan of the lookup in the large one is shown.
"""

import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager

import psycopg

from bench.claim import Claim, alternate
from bench.stage import HERE, Stage
from mastodon_update_check.mastodon.database import ask_first
from mastodon_update_check.mastodon.database_address import DatabaseAddress
from mastodon_update_check.mastodon.sql import staff_query

sys.path.append(str(HERE.parent / "tests"))  # the simulators
from simulators.mastodon_schema import people, schema
from simulators.postgres import Postgres

LIMIT = 1.5
SMALL, LARGE = 30_000, 3_000_000

_FILL = """
    ALTER TABLE users SET UNLOGGED;
    SET session_replication_role = replica; -- foreign keys hold by themselves here
    INSERT INTO accounts (id, username) SELECT n, 'member' || n FROM generate_series(1000, {last}) AS n;
    INSERT INTO users (id, email, encrypted_password, confirmed_at, locale, account_id, settings)
    SELECT n, 'member' || n || '@social.example', repeat('x', 60), now(), 'en', n, '{{"web.auto_play": true}}'
      FROM generate_series(1000, {last}) AS n;
    ANALYZE
"""


def measure_size(_: Stage, rounds: int = 101) -> Claim:
    """Measure the whole lookup, the connection too, in a small and in a large database."""
    with _databases(SMALL, LARGE) as (small, large):
        _show_plan(large)
        return Claim(
            name="lookup",
            our_name=f"asking the database of {LARGE:,} users for its staff",
            reference_name=f"asking that of {SMALL:,} users",
            unit="ms",
            pairs=alternate(lambda: _time(small), lambda: _time(large), rounds),
            limit=LIMIT,
        )


@contextmanager
def _databases(*sizes: int) -> Iterator[tuple[DatabaseAddress, ...]]:
    with Postgres() as postgres:
        yield tuple(_filled(postgres, size) for size in sizes)


def _filled(postgres: Postgres, size: int) -> DatabaseAddress:
    name = postgres.create_database(f"users_{size}", schema("4.7"))
    with closing(postgres.connect(name)) as connection:
        connection.execute(people("4.7"))
        connection.execute(_FILL.format(last=size + 999).encode())
    parameters = {"host": str(postgres.directory), "port": str(postgres.port), "dbname": name, "user": "mastodon"}
    return DatabaseAddress(origin="bench", parameters=parameters)


def _show_plan(address: DatabaseAddress) -> None:
    query = staff_query(functions=(), has_roles=True, has_deletion_requests=False)
    with closing(_connect(address)) as connection:
        for (line,) in connection.execute(b"EXPLAIN (ANALYZE, COSTS OFF) " + query.encode()):
            print(f"  {line}")


def _connect(address: DatabaseAddress) -> psycopg.Connection[tuple[str, ...]]:
    return psycopg.connect("", autocommit=True, **address.parameters)  # type: ignore[arg-type]


def _time(address: DatabaseAddress) -> float:
    began = time.perf_counter()
    ask_first([address])
    return (time.perf_counter() - began) * 1000
