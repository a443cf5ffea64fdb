"""The ledger in PostgreSQL, in a schema of its own.

It works through PgBouncer in transaction mode: nothing is prepared, and settings are for one transaction. Each writer
first locks the same row, so writers run one after the other, and each sees the commits before it (READ COMMITTED). An
owner's transaction then verifies its token, so a process without the lease changes nothing. Readers see the ledger as
it was at one moment (REPEATABLE READ).

Every wait has a limit: the server limits locks, statements and idle transactions; this process limits the connection
and the transaction as a whole.
"""

import os
import re
import socket
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, cast

import psycopg
from psycopg.rows import DictRow, dict_row

from mastodon_update_check.errors import LedgerError, OwnershipLostError
from mastodon_update_check.http.time_limit import SocketGuard, deadline, run_within
from mastodon_update_check.ledger.schema import require_known

if TYPE_CHECKING:
    from mastodon_update_check.ledger.postgres_location import PostgresLocation

Parameters = Mapping[str, object] | Sequence[object]
_SERIALISED: Final = "SELECT value FROM meta WHERE key = 'salt' FOR UPDATE"
_DURABLE: Final = """
    SELECT set_config(name, 'on', true) FROM pg_settings WHERE name = 'synchronous_commit' AND setting = 'off'
"""
_VERSION: Final = "SELECT value FROM meta WHERE key = 'schema'"
_TOKEN: Final = re.compile(r"'[^']*'|--[^\n]*|\?|:(?P<name>\w+)|%")


@dataclass(frozen=True, slots=True, kw_only=True)
class PostgresBounds:
    """How long things may take."""

    connect: timedelta = timedelta(seconds=5)  # for each address of the host
    login: timedelta = timedelta(seconds=15)  # name resolution and all addresses included
    statement: timedelta = timedelta(seconds=10)
    lock: timedelta = timedelta(seconds=5)
    idle: timedelta = timedelta(seconds=4)
    """For this process to stand still in a transaction: others have to record acceptances before their lease ends."""
    total: timedelta = timedelta(seconds=20)  # for a whole transaction, by this process's own clock


BOUNDS: Final = PostgresBounds()


class PostgresSession:
    """One connection, made when it is first needed and again whenever it has broken."""

    def __init__(self, location: "PostgresLocation") -> None:
        self._location = location
        self._bounds = location.bounds
        self.verifies_version = False
        """Whether each transaction verifies the schema's version: a newer program may migrate it at any moment."""
        self._connection: psycopg.Connection[DictRow] | None = None

    def close(self) -> None:
        """Close the connection."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def reading(self) -> AbstractContextManager["PostgresConnection"]:
        """See the ledger as it is at one moment."""
        return self._transaction("ISOLATION LEVEL REPEATABLE READ READ ONLY")

    @contextmanager
    def writing(self) -> Iterator["PostgresConnection"]:
        """Write as the owner of the ledger."""
        with self.recording() as connection:
            owner = connection.execute("SELECT token FROM owner").fetchone()
            if owner is None or owner["token"] != self._location.token:
                raise OwnershipLostError(f"another process owns the ledger in {self._location} now")
            yield connection

    def recording(self) -> AbstractContextManager["PostgresConnection"]:
        """Write a fact that is true whichever process owns the ledger."""
        return self._transaction("ISOLATION LEVEL READ COMMITTED READ WRITE", _SERIALISED)

    def renewing(self) -> AbstractContextManager["PostgresConnection"]:
        """Change the lease, without waiting for a writer."""
        return self._transaction("ISOLATION LEVEL READ COMMITTED READ WRITE")

    @contextmanager
    def _transaction(self, mode: str, lock: str = "") -> Iterator["PostgresConnection"]:
        """Commit at the end, or undo it all after an exception."""
        with deadline(self._bounds.total) as guard, self._location.translated(guard):
            try:
                connection = self._begin(self._opening(mode, lock), guard)
                yield connection
                outcome = connection.execute("COMMIT").statusmessage
            except BaseException:
                self.close()  # and so roll back
                raise
            # A transaction that has failed cannot be committed, and PostgreSQL says so only by this word.
            if outcome != "COMMIT":
                raise LedgerError(f"the ledger in {self._location} rolled the transaction back: try again")

    def _begin(self, opening: str, guard: SocketGuard) -> "PostgresConnection":
        """Open a transaction; a connection that has died meanwhile, as after a restart, is replaced."""
        if self._connection is not None and not self._connection.closed:
            try:
                return self._open(self._connection, opening, guard)
            except psycopg.OperationalError:
                if not self._connection.closed:  # it works, and the transaction cannot begin
                    raise
        self.close()
        seconds = self._bounds.connect.total_seconds()
        connection = run_within(self._bounds.login, lambda _: self._location.login.connect(seconds))
        # Parameters are inserted by the client: one round trip for a statement, and the statement sets their types.
        connection.cursor_factory = psycopg.ClientCursor
        connection.row_factory = dict_row  # type: ignore[assignment]  # rows are of another type from here on
        self._connection = cast("psycopg.Connection[DictRow]", connection)
        return self._open(self._connection, opening, guard)

    def _open(self, connection: psycopg.Connection[DictRow], opening: str, guard: SocketGuard) -> "PostgresConnection":
        with socket.socket(fileno=os.dup(connection.fileno())) as sock:
            guard.guard(sock)
        answers = connection.execute(opening.encode())
        while answers.nextset():
            pass
        answer = next(answers)
        if answer["version"] is not None:
            require_known(int(answer["version"]), f"the ledger in {self._location}")
        return PostgresConnection(connection, answer["now"])

    def _opening(self, mode: str, lock: str) -> str:
        """Return what begins a transaction, in one round trip."""
        schema, bounds = self._location.schema, self._bounds
        return "; ".join(
            (
                f"BEGIN {mode}",
                f"SET LOCAL search_path = {schema}, pg_catalog",
                f"SET LOCAL statement_timeout = {_milliseconds(bounds.statement)}",
                f"SET LOCAL lock_timeout = {_milliseconds(bounds.lock)}",
                f"SET LOCAL idle_in_transaction_session_timeout = {_milliseconds(bounds.idle)}",
                # Commits are durable, also where the role's default is another.
                _DURABLE,
                *((lock,) if lock else ()),
                f"SELECT clock_timestamp() AS now, ({_VERSION if self.verifies_version else 'NULL'}) AS version",
            )
        )


class PostgresConnection:
    """Runs statements inside one transaction."""

    def __init__(self, connection: psycopg.Connection[DictRow], now: datetime) -> None:
        self._connection = connection
        self.now = now
        """The server's clock when the transaction began, aware."""

    def execute(self, statement: str, parameters: Parameters = (), /) -> Any:  # noqa: ANN401 - a cursor of psycopg
        """Run one statement."""
        return self._connection.execute(translate(statement), parameters)

    def executemany(self, statement: str, rows: Iterable[Parameters], /) -> None:
        """Run one statement for each row of parameters."""
        self._connection.cursor().executemany(translate(statement), rows)


@lru_cache(maxsize=256)
def translate(statement: str) -> bytes:
    """Return a statement with its parameters as psycopg marks them."""

    def mark(found: re.Match[str]) -> str:
        if found["name"]:
            return f"%({found['name']})s"
        return "%s" if found[0] == "?" else found[0].replace("%", "%%")

    return _TOKEN.sub(mark, statement).encode()


def _milliseconds(duration: timedelta) -> int:
    return duration // timedelta(milliseconds=1)
