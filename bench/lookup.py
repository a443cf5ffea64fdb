"""Lookup: the staff of a database with 3,000,000 users, against one with 30,000 users.

Both databases have the schema and the indexes of Mastodon 4.7 and the same dozen of staff. Filling them takes half a
minute. The time that the query itself takes is shown for both.
"""

import time
from collections.abc import Iterator
from contextlib import closing, contextmanager

from bench.figure import Ratio, alternate
from bench.postgres import Postgres, people, schema
from bench.stage import Stage
from mastodon_update_check.mastodon.database import ask_first
from mastodon_update_check.mastodon.database_address import DatabaseAddress
from mastodon_update_check.mastodon.sql import staff_query

LIMIT = 1.5
ROUNDS = 51
SMALL, LARGE = 30_000, 3_000_000
_FILL = """
    ALTER TABLE users SET UNLOGGED;
    SET session_replication_role = replica; -- the rows refer to each other correctly
    INSERT INTO accounts (id, username) SELECT n, 'member' || n FROM generate_series(1000, {last}) AS n;
    INSERT INTO users (id, email, encrypted_password, confirmed_at, locale, account_id, settings)
    SELECT n, 'member' || n || '@social.example', repeat('x', 60), now(), 'en', n, '{{"web.auto_play": true}}'
      FROM generate_series(1000, {last}) AS n;
    ANALYZE
"""


def measure(_: Stage) -> Ratio:
    """Measure the whole lookup, with its process and its login, in a small and in a large database."""
    with _databases() as (small, large):
        return Ratio(
            ours=f"looking up the staff among {LARGE:,} users",
            reference=f"looking up the staff among {SMALL:,} users",
            unit="ms",
            pairs=alternate(lambda: _time(small), lambda: _time(large), ROUNDS),
            limit=LIMIT,
        )


@contextmanager
def _databases() -> Iterator[tuple[DatabaseAddress, DatabaseAddress]]:
    with Postgres() as postgres:
        yield _filled(postgres, SMALL), _filled(postgres, LARGE)


def _filled(postgres: Postgres, size: int) -> DatabaseAddress:
    name = postgres.create_database(f"users_{size}", schema("4.7"))
    query = staff_query({"functions": (), "has_roles": True, "has_deletion_requests": False})
    with closing(postgres.connect(name)) as connection:
        connection.execute(people("4.7"))
        connection.execute(_FILL.format(last=size + 999).encode())
        lines = [line for (line,) in connection.execute(b"EXPLAIN (ANALYZE, COSTS OFF) " + query.encode())]
    print(f"  {size:,} users: {lines[-1]}")
    parameters = {"host": str(postgres.directory), "port": str(postgres.port), "dbname": name, "user": "mastodon"}
    return DatabaseAddress(origin="bench", parameters=parameters)


def _time(address: DatabaseAddress) -> float:
    began = time.perf_counter()
    ask_first([address])
    return (time.perf_counter() - began) * 1000
