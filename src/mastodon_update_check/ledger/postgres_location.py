"""A ledger in PostgreSQL: where it is, by libpq's connection URL and a schema; making and migrating it; its errors."""

import re
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import ClassVar, Final, Self
from urllib.parse import parse_qsl, quote, urlencode

import psycopg

from mastodon_update_check.domain.text import clean
from mastodon_update_check.errors import LedgerError
from mastodon_update_check.http.time_limit import SocketGuard, TimeLimitError
from mastodon_update_check.ledger.engine import DamagedRowError, reading
from mastodon_update_check.ledger.lease import Lease
from mastodon_update_check.ledger.postgres_session import BOUNDS, PostgresBounds, PostgresConnection, PostgresSession
from mastodon_update_check.ledger.schema import SCHEMA_VERSION, read_migrations, require_known
from mastodon_update_check.postgres.login import Login, LoginError, last_line, read_conninfo, refuse_misread

WAYS_OUT: Final = "restore a backup of it, or start a new one with `mastodon-update-check ledger new`"
_PATIENT: Final = PostgresBounds(
    statement=timedelta(minutes=10), idle=timedelta(minutes=10), total=timedelta(hours=1), lock=timedelta(seconds=20)
)
_SCHEMA: Final = "mastodon_update_check_ledger"
"""The schema, when none is named; not the one of `mastodon/sql/install.sql`, which is for asking only."""
_NAME: Final = re.compile(r"(?!pg_)[a-z_][a-z0-9_]{0,39}")
_DEFAULTS: Final = {
    # A host that is gone is found out, whether something was under way (the last) or not.
    "keepalives_idle": "10",
    "keepalives_interval": "5",
    "keepalives_count": "3",
    "tcp_user_timeout": "15000",
}
_CODES: Final = {
    "25006": "can only be read, as on a standby: name the primary, or all with ?target_session_attrs=read-write",
    "42501": (
        "does not let the role {role} do that: as the owner of the database, run GRANT CREATE ON DATABASE {database} "
        'TO "{role}"; the role must also own the schema {schema} and its tables'
    ),
    "53100": "cannot be written: the server's disk is full; nothing is sent until there is room",
    "55P03": "is locked by another process: try again, or end what holds it",
    "57014": "took too long: is the server overloaded?",
    "22P05": "cannot hold every letter: the database must be made with the encoding UTF8",
}
_GONE: Final = frozenset({"3F000", "42P01"})
_DAMAGED: Final = "XX"
_JSON_EACH: Final = """
    CREATE FUNCTION json_each(text) RETURNS TABLE (value text) LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS 'SELECT json_array_elements_text($1::json)'
"""


@dataclass(frozen=True, slots=True)
class PostgresLocation:
    """A schema in a database, and the login there; `str()` of it is fit to be shown."""

    login: Login
    schema: str
    bounds: PostgresBounds = BOUNDS
    token: str = field(default="", repr=False)
    """The lease's, for a process that works for the owner."""
    is_shared: ClassVar[bool] = True

    def __str__(self) -> str:
        return f"PostgreSQL at {self.login.place} (schema {self.schema} of the database {self.login.database})"

    @classmethod
    def parse(cls, url: str, origin: str, *, token: str = "") -> Self:
        """Read a URL with an optional `schema=…`; raise `LoginError`, which names `origin` and repeats nothing."""
        # Before anything else: in a URL that is cut in the wrong place, any piece may be the password's.
        refuse_misread(url, origin)
        base, _, query = url.partition("?")
        try:
            asked = parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query))
        except ValueError:
            raise LoginError(f"{origin} has a query (behind the ?) that cannot be read") from None
        schema = dict(asked).get("schema", _SCHEMA)
        if not _NAME.fullmatch(schema):
            raise LoginError(
                f"{origin} names a schema that cannot be used: expected up to 40 small letters, digits and _, and no "
                "pg_ in front"
            )
        rest = urlencode([(name, text) for name, text in asked if name != "schema"], quote_via=quote)
        login = Login(
            parameters=MappingProxyType({**_DEFAULTS, **read_conninfo(f"{base}?{rest}", origin)}),
            origin=origin,
            variable="UPDATE_CHECK_LEDGER",
            remedy="make it with CREATE ROLE … LOGIN",
        )
        return cls(login, schema, token=token)

    def ownership(self, host: str) -> Lease:
        """Return the lease."""
        return Lease(self.open, host)

    def exists(self) -> bool:
        """Return whether the schema has our tables."""
        with self._session() as session, session.reading() as connection:
            return self._exists(connection)

    def patient(self) -> "PostgresLocation":
        """Return the same place with other bounds."""
        return replace(self, bounds=_PATIENT)

    def open(self, *, verify: bool = True) -> PostgresSession:
        """Open the ledger, migrated to the present schema; the server looks after damage (`data_checksums`)."""
        del verify
        session = PostgresSession(self)
        try:
            with session.reading() as connection:
                version = self._read_version(connection)
            if version < SCHEMA_VERSION:
                with self.patient()._session() as patient, patient.recording() as connection:  # noqa: SLF001 - its own kind
                    _take_steps(connection, self._read_version(connection))
            session.verifies_version = True
        except BaseException:
            session.close()
            raise
        return session

    def create(self) -> None:
        """Make the tables, and the schema if it is missing, in one transaction."""
        schema = self.schema
        with self._session() as session, session.renewing() as connection:
            connection.execute("SELECT pg_advisory_xact_lock(hashtext(?))", (f"ledger {schema}",))
            if self._exists(connection):
                return
            if connection.execute("SELECT 1 AS one FROM pg_namespace WHERE nspname = ?", (schema,)).fetchone() is None:
                connection.execute(f"CREATE SCHEMA {schema}")
            connection.execute(_JSON_EACH)
            _take_steps(connection, 0)

    def set_aside(self, now: datetime) -> str | None:
        """Rename the schema; return its new name, None without one."""
        aside = f"{self.schema}_{now.strftime('%Y%m%d%H%M%S')}_old"
        with self._session() as session, session.renewing() as connection:
            if not self._exists(connection):
                return None
            connection.execute(f"ALTER SCHEMA {self.schema} RENAME TO {aside}")
        return f"the schema {aside}"

    def _session(self) -> AbstractContextManager[PostgresSession]:
        return closing(PostgresSession(self))

    def _exists(self, connection: PostgresConnection) -> bool:
        table = f"{self.schema}.meta"
        return bool(connection.execute("SELECT to_regclass(?) IS NOT NULL AS found", (table,)).fetchone()["found"])

    def _read_version(self, connection: PostgresConnection) -> int:
        if not self._exists(connection):
            raise LedgerError(f"there is no ledger in {self}; {WAYS_OUT}")
        row = connection.execute("SELECT value FROM meta WHERE key = 'schema'").fetchone()
        with reading():
            version = int(row["value"])
        require_known(version, f"the ledger in {self}")
        return version

    @contextmanager
    def translated(self, guard: SocketGuard | None = None) -> Iterator[None]:
        """Turn every error of PostgreSQL and of the way to it into a `LedgerError` that says what to do."""
        try:
            yield
        except psycopg.Error as error:
            is_late = guard is not None and guard.expired
            why = "did not answer in time" if is_late else self._explain(error)
            raise LedgerError(f"the ledger in {self} {why}") from error
        except TimeLimitError as error:
            raise LedgerError(f"the ledger in {self} cannot be reached: the login {error}") from error
        except LoginError as error:
            raise LedgerError(f"the ledger cannot be used: {error}") from error
        except DamagedRowError as error:
            raise LedgerError(f"the ledger in {self} is damaged: {error}; {WAYS_OUT}") from error

    def _explain(self, error: psycopg.Error) -> str:
        code, words = error.sqlstate, error.diag.message_primary or str(error)
        if code is None:
            return f"cannot be reached any more: {clean(last_line(words))}"
        if code in _CODES:
            return _CODES[code].format(role=self.login.role, schema=self.schema, database=self.login.database)
        if code in _GONE or code.startswith(_DAMAGED):
            return f"is {'gone' if code in _GONE else 'damaged'} ({clean(words)}); {WAYS_OUT}"
        return f"cannot be used ({code}: {clean(words)})"


def _take_steps(connection: PostgresConnection, version: int) -> None:
    for statement in read_migrations(version):
        if "ANALYZE" not in statement and "sqlite_stat1" not in statement:
            connection.execute(_translate_schema(statement))
    connection.execute(
        "INSERT INTO meta VALUES ('schema', :version) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        {"version": str(SCHEMA_VERSION)},
    )


def _translate_schema(statement: str) -> str:
    """Return a statement of the schema as PostgreSQL takes it: text sorts by its bytes, tables are strict anyway."""
    statement = re.sub(r"\) STRICT(, WITHOUT ROWID)?;", ");", statement)
    is_table = statement.startswith(("CREATE TABLE", "ALTER TABLE"))
    return re.sub(r"\bTEXT\b", 'TEXT COLLATE "C"', statement) if is_table else statement
