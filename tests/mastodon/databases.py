"""Addresses, databases of every version, and the same questions without a process of their own."""

import json
import time
from contextlib import closing
from datetime import timedelta

import pytest
from psycopg.conninfo import make_conninfo

from mastodon_update_check.domain.staff import DatabaseAnswer
from mastodon_update_check.errors import Cause, CheckError
from mastodon_update_check.mastodon.database import BOUNDS, DatabaseBounds, ask_first, make_request, read_answer
from mastodon_update_check.mastodon.database_address import DatabaseAddress
from mastodon_update_check.mastodon.database_session import ask_each
from simulators.mastodon_schema import people, schema
from simulators.postgres import Postgres

DIRECT = "mastodon"
OWN_ROLE = "_mastodon_update_check"
SHORT = DatabaseBounds(
    connect=timedelta(seconds=2),
    statement=timedelta(milliseconds=300),
    lock=timedelta(milliseconds=100),
    total=timedelta(seconds=3),
)
"""Limits for questions that fail."""


def socket_address(postgres: Postgres, database: str, role: str = DIRECT, **parameters: str) -> DatabaseAddress:
    """Return the address of a database over the unix socket."""
    login = {"host": str(postgres.directory), "port": str(postgres.port), "dbname": database, "user": role}
    return DatabaseAddress(origin="the DB_ variables", parameters=login | parameters)


def tcp_address(port: int, database: str, role: str = DIRECT, **parameters: str) -> DatabaseAddress:
    """Return the address of a database on a port of loopback, with the right password."""
    login = {"host": "127.0.0.1", "port": str(port), "dbname": database, "user": role, "password": "right"}
    return DatabaseAddress(origin="the DB_ variables", parameters=login | parameters)


def trusted_address(**parameters: str | int) -> DatabaseAddress:
    """Return an address as the administrator gives it, with any parameters."""
    return DatabaseAddress(origin="UPDATE_CHECK_DATABASE_URL", conninfo=make_conninfo("", **parameters))


def ask(*addresses: DatabaseAddress, bounds: DatabaseBounds = BOUNDS) -> DatabaseAnswer:
    """Ask in this process, which is faster than `ask_first`."""
    failures = []
    for event in ask_each(**json.loads(json.dumps(make_request(addresses, bounds)))):
        if "answer" in event:
            return read_answer(json.loads(json.dumps(event["answer"])))
        failures += [event["failure"]] if "failure" in event else []
    raise CheckError(Cause.DATABASE, "; and ".join(reversed(failures)))


def ask_in_process(*addresses: DatabaseAddress, bounds: DatabaseBounds = BOUNDS) -> DatabaseAnswer:
    """Ask as the program does, in a process of its own, which must end soon after its limit."""
    began = time.monotonic()
    try:
        return ask_first(addresses, bounds=bounds)
    finally:
        assert time.monotonic() - began < bounds.total.total_seconds() + 20


def refusal(*addresses: DatabaseAddress, bounds: DatabaseBounds = SHORT, in_process: bool = False) -> str:
    """Return the sentence with which asking fails; it must not show the password of these tests."""
    with pytest.raises(CheckError) as caught:
        (ask_in_process if in_process else ask)(*addresses, bounds=bounds)
    assert caught.value.cause == Cause.DATABASE
    assert "right" not in caught.value.detail
    return caught.value.detail


def populated(postgres: Postgres, name: str, version: str) -> str:
    """Make a database of this Mastodon version with all of its people and return its name."""
    postgres.create_database(name, schema(version))
    with closing(postgres.connect(name, DIRECT)) as connection:
        connection.execute(people(version))
    return name
