"""Ledgers on both engines, and a way to look at them behind the program's back."""

import itertools
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import psycopg
from psycopg.conninfo import make_conninfo

from mastodon_update_check.ledger.lease import Lease
from mastodon_update_check.ledger.location import Location
from mastodon_update_check.ledger.postgres_location import PostgresLocation
from mastodon_update_check.ledger.postgres_session import translate
from mastodon_update_check.ledger.sqlite import SqliteLocation
from simulators.postgres import Postgres

DATABASE = "ledgers"
ROLE = "ledger"
_numbers = itertools.count(1)
L = TypeVar("L", bound=Location)


def url(postgres: Postgres, schema: str, role: str = ROLE) -> str:
    """Return what `UPDATE_CHECK_LEDGER` would say."""
    return f"postgresql://{role}@/{DATABASE}?host={postgres.directory}&port={postgres.port}&schema={schema}"


@contextmanager
def postgres_location(postgres: Postgres) -> Iterator[PostgresLocation]:
    """Return where a ledger may be made; it is removed at the end."""
    if DATABASE not in postgres.databases():
        postgres.create_database(DATABASE, "", ROLE)
    schema = f"ledger_{next(_numbers)}"
    try:
        yield PostgresLocation.parse(url(postgres, schema), "UPDATE_CHECK_LEDGER")
    finally:
        postgres.execute(DATABASE, f"DROP SCHEMA IF EXISTS {schema} CASCADE", ROLE)


def owned(location: L) -> L:
    """Create a ledger if there is none, and own it: what the daemon, or a command, does first."""
    if not location.exists():
        location.create()
    ownership = location.ownership("test")
    assert ownership.acquire(is_daemon=False)
    if not isinstance(location, PostgresLocation):
        return location
    assert isinstance(ownership, Lease)
    ownership.close()
    return replace(location, token=ownership.token)


@contextmanager
def owning(location: L) -> Iterator[L]:
    """Own a ledger for the duration of the block."""
    ownership = location.ownership("test")
    assert ownership.acquire(is_daemon=False)
    try:
        yield replace(location, token=ownership.token) if isinstance(location, PostgresLocation) else location
    finally:
        ownership.release()


def query(where: "Location | Path", statement: str, *parameters: object) -> list[tuple[Any, ...]]:
    """Look at, or change, a ledger behind the program's back."""
    if isinstance(where, PostgresLocation):
        return _query_postgres(where, statement, parameters)
    path = where.path if isinstance(where, SqliteLocation) else where
    assert isinstance(path, Path)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        return connection.execute(statement, parameters).fetchall()


def _query_postgres(place: PostgresLocation, statement: str, parameters: tuple[object, ...]) -> list[tuple[Any, ...]]:
    login = make_conninfo("", **place.login.parameters)
    with closing(psycopg.connect(login, autocommit=True, cursor_factory=psycopg.ClientCursor)) as connection:
        connection.execute(f"SET search_path = {place.schema}, pg_catalog".encode())
        result = connection.execute(translate(statement), parameters)
        return [] if result.description is None else result.fetchall()
