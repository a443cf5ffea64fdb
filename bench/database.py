"""Lookup: asking 3,000,000 users' database for its staff, against 30,000 users', and against the bare query.

Both databases have the schema of Mastodon 4.7, the indexes too, and the same dozen of staff; filling them takes about
half a minute. The plan of the lookup in the large one is shown.
"""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

import psycopg

from bench.claim import Claim, alternate
from bench.stage import HERE, Stage
from mastodon_update_check.mastodon.database import ask_staff
from mastodon_update_check.mastodon.database_address import DatabaseAddress
from mastodon_update_check.mastodon.staff_sql import Schema, staff_query

sys.path.append(str(HERE.parent / "tests"))  # the simulators
from simulators.mastodon_schema import people, schema
from simulators.postgres import Postgres

LIMIT = 1.5
SMALL, LARGE = 30_000, 3_000_000

_ROLES = "SELECT id FROM user_roles WHERE permissions & 3 <> 0"
_BARE = """
    SELECT users.id, users.email, users.locale, users.settings, users.confirmed_at, users.approved, users.disabled,
           accounts.username, accounts.suspended_at, accounts.memorial, accounts.requested_deletion_at
      FROM users JOIN accounts ON accounts.id = users.account_id
     WHERE users.role_id = ANY (%s)
"""
"""What Mastodon does: look at the roles, then ask for their users. One join of all three scans all users."""
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
            pairs=alternate(lambda: _time(lambda: ask_staff(small)), lambda: _time(lambda: ask_staff(large)), rounds),
            limit=LIMIT,
        )


def measure_query(_: Stage, rounds: int = 201) -> Claim:
    """Measure the whole lookup against the bare queries on a connection of their own, in the small database."""
    with _databases(SMALL) as (small,):
        return Claim(
            name="query",
            our_name=f"asking the database of {SMALL:,} users for its staff",
            reference_name="psycopg alone: connect, ask for the roles, ask for their users, close",
            unit="ms",
            pairs=alternate(lambda: _time(lambda: _ask_bare(small)), lambda: _time(lambda: ask_staff(small)), rounds),
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


def _ask_bare(address: DatabaseAddress) -> None:
    with closing(_connect(address)) as connection:
        roles = [number for (number,) in connection.execute(_ROLES)]
        assert connection.execute(_BARE, [roles]).fetchall()


def _show_plan(address: DatabaseAddress) -> None:
    known = Schema(has_users=True, has_roles=True, has_deletion_requests=False, function=None, may_write=True)
    with closing(_connect(address)) as connection:
        for (line,) in connection.execute(b"EXPLAIN (ANALYZE, COSTS OFF) " + staff_query(known).encode()):
            print(f"  {line}")


def _connect(address: DatabaseAddress) -> psycopg.Connection[tuple[str, ...]]:
    return psycopg.connect("", autocommit=True, **address.parameters)  # type: ignore[arg-type]


def _time(ask: Callable[[], object]) -> float:
    began = time.perf_counter()
    ask()
    return (time.perf_counter() - began) * 1000
