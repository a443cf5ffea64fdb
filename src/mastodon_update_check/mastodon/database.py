"""Ask Mastodon's PostgreSQL for its staff: read only, in one short transaction, without any state of the session.

So it works through PgBouncer in transaction mode: no prepared statements, no startup options, `SET LOCAL` only. Every
hang ends: the connection by its time-out, statement and lock by the server's, all of it by a deadline.
"""

import os
import socket
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

import psycopg
from psycopg.rows import dict_row

from mastodon_update_check.domain.staff import StaffVerdict, judge
from mastodon_update_check.errors import Cause, CheckError
from mastodon_update_check.http.net import CONNECT_SECONDS, READ_SECONDS, Deadline
from mastodon_update_check.mastodon.database_address import DatabaseAddress
from mastodon_update_check.mastodon.database_errors import explain_question
from mastodon_update_check.mastodon.staff_sql import (
    FUNCTION_IS_OURS,
    FUNCTION_QUERY,
    SCHEMA_QUERY,
    STAFF_ROWS,
    Schema,
    staff_query,
)
from mastodon_update_check.postgres.login import Login, LoginError, connect, read_conninfo

_REMEDY: Final = "run packaging/postgresql/install.sql there"
_OTHER_ROWS: Final = "returns staff in a form that is not known here: run packaging/postgresql/install.sql there again"


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseBounds:
    """How long one question may take."""

    connect: timedelta = timedelta(seconds=CONNECT_SECONDS)
    """For each address of the host; whole seconds, at least two (libpq)."""
    statement: timedelta = timedelta(seconds=5)
    lock: timedelta = timedelta(seconds=3)
    total: timedelta = timedelta(seconds=CONNECT_SECONDS + READ_SECONDS)


BOUNDS: Final = DatabaseBounds()


@dataclass(frozen=True, slots=True, kw_only=True)
class Staff:
    """What the database answered."""

    verdicts: tuple[StaffVerdict, ...]
    """One for each member of staff, those who can view DevOps first; told are those with a recipient."""
    warnings: tuple[str, ...]
    through: str
    """How it was asked, fit to be shown."""
    may_write: bool
    """Whether the login could change users: more than is needed."""


def ask_first(addresses: Sequence[DatabaseAddress], *, bounds: DatabaseBounds = BOUNDS) -> Staff:
    """Return the answer of the first address that gives one.

    Raises:
        CheckError: none did; says what each of them lacks.
    """
    failures = []
    for address in addresses:
        try:
            return ask_staff(address, bounds=bounds)
        except CheckError as error:
            failures.append(error.detail)
    raise CheckError(Cause.DATABASE, "; and ".join(reversed(failures)))


def ask_staff(address: DatabaseAddress, *, bounds: DatabaseBounds = BOUNDS) -> Staff:
    """Return the staff of the Mastodon whose database is at `address`.

    Raises:
        CheckError: cause `DATABASE`, with a sentence that holds neither password nor connection string.
    """
    parameters = _parameters(address)
    login = Login.of(parameters, address.origin, "UPDATE_CHECK_DATABASE_URL", _REMEDY)
    with (
        Deadline(bounds.total) as deadline,
        closing(_connect(login, parameters, bounds)) as connection,
    ):
        with socket.socket(fileno=os.dup(connection.fileno())) as sock:
            deadline.guard(sock)
        try:
            return _ask(connection, login, bounds)
        except psycopg.Error as error:
            if deadline.expired:
                raise CheckError(Cause.DATABASE, login.say("did not answer in time")) from error
            raise CheckError(
                Cause.DATABASE, explain_question(login, error.sqlstate, error.diag.message_primary or str(error))
            ) from error


def _parameters(address: DatabaseAddress) -> dict[str, str]:
    try:
        return {**address.parameters, **read_conninfo(address.conninfo, address.origin)}
    except LoginError as error:
        raise CheckError(Cause.DATABASE, str(error)) from error


def _connect(
    login: Login, parameters: Mapping[str, str], bounds: DatabaseBounds
) -> psycopg.Connection[tuple[Any, ...]]:
    try:
        return connect(login, parameters, bounds.connect.total_seconds())
    except LoginError as error:
        raise CheckError(Cause.DATABASE, str(error)) from error


def _ask(connection: psycopg.Connection[tuple[Any, ...]], login: Login, bounds: DatabaseBounds) -> Staff:
    schema = _begin(connection, bounds)
    if not schema.has_users:
        raise CheckError(Cause.DATABASE, login.say("has no Mastodon in {database}: check {origin}"))
    has_function = _has_function(connection, schema)
    query = FUNCTION_QUERY if has_function else staff_query(schema)
    with connection.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(f"{query}; COMMIT".encode()).fetchall()
    through = "mastodon_update_check.staff()" if has_function else "Mastodon's tables"
    return _judge(rows, login, f"{through} as {login.role} at {login.place}", may_write=schema.may_write)


def _begin(connection: psycopg.Connection[tuple[Any, ...]], bounds: DatabaseBounds) -> Schema:
    """Open the transaction, and in the same round trip look at what there is."""
    statements = (
        "BEGIN READ ONLY",
        f"SET LOCAL statement_timeout = {_milliseconds(bounds.statement)}",
        f"SET LOCAL lock_timeout = {_milliseconds(bounds.lock)}",
        SCHEMA_QUERY,
    )
    cursor = connection.execute("; ".join(statements).encode())
    while cursor.nextset():
        pass
    return Schema(*next(cursor))


def _has_function(connection: psycopg.Connection[tuple[Any, ...]], schema: Schema) -> bool:
    if schema.function is None:
        return False
    return next(connection.execute(FUNCTION_IS_OURS, [schema.function])) == (True,)


def _judge(rows: Sequence[Mapping[str, Any]], login: Login, through: str, *, may_write: bool) -> Staff:
    try:
        verdicts = tuple(judge(row, row["everyone_permissions"]) for row in rows[:STAFF_ROWS])
    except (LookupError, TypeError, AttributeError) as error:  # a function of that name from another time
        raise CheckError(Cause.DATABASE, login.say(_OTHER_ROWS)) from error
    warnings: Iterable[str] = (warning for verdict in verdicts for warning in verdict.warnings)
    if len(rows) > STAFF_ROWS:
        warnings = (f"more than {STAFF_ROWS} users have a staff role: the others are left out", *warnings)
    return Staff(verdicts=verdicts, warnings=tuple(warnings), through=through, may_write=may_write)


def _milliseconds(duration: timedelta) -> int:
    return duration // timedelta(milliseconds=1)
