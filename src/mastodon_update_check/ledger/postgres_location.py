"""Making, finding and migrating a ledger in PostgreSQL."""

import re
from collections.abc import Sequence
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass, field, replace
from datetime import datetime
from secrets import token_hex
from typing import ClassVar, Final

from mastodon_update_check.errors import LedgerError
from mastodon_update_check.ledger.lease import Lease
from mastodon_update_check.ledger.postgres_address import PostgresAddress
from mastodon_update_check.ledger.postgres_problems import WAYS_OUT
from mastodon_update_check.ledger.postgres_session import (
    BOUNDS,
    PATIENT,
    PostgresBounds,
    PostgresConnection,
    PostgresSession,
)
from mastodon_update_check.ledger.schema import MIGRATIONS, SCHEMA_VERSION, require_known
from mastodon_update_check.ledger.stored import reading

_JSON_EACH: Final = """
    CREATE FUNCTION json_each(text) RETURNS TABLE (value text) LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS 'SELECT json_array_elements_text($1::json)'
"""


@dataclass(frozen=True, slots=True)
class PostgresLocation:
    """A schema in a database."""

    address: PostgresAddress
    bounds: PostgresBounds = BOUNDS
    token: str = field(default="", repr=False)
    """The lease's, for a process that works for the owner."""
    is_shared: ClassVar[bool] = True

    def __str__(self) -> str:
        return str(self.address)

    def ownership(self, host: str) -> Lease:
        """Return the lease."""
        return Lease(self.open, host)

    def exists(self) -> bool:
        """Return whether the schema has our tables."""
        with self._session() as session, session.reading() as connection:
            return _exists(connection, self.address.schema)

    def create(self) -> None:
        """Make the tables, and the schema if it is missing, in one transaction."""
        with self._session() as session, session.renewing() as connection:
            connection.execute("SELECT pg_advisory_xact_lock(hashtext(?))", (f"ledger {self.address.schema}",))
            if not _exists(connection, self.address.schema):
                _make_schema(connection, self.address)
                _take_steps(connection, 0)

    def patient(self) -> "PostgresLocation":
        """Return the same place with other bounds."""
        return replace(self, bounds=PATIENT)

    def set_aside(self, now: datetime) -> str | None:
        """Rename the schema."""
        aside = f"{self.address.schema}_{now.strftime('%Y%m%d%H%M%S')}_old"
        with self._session() as session, session.renewing() as connection:
            if not _exists(connection, self.address.schema):
                return None
            connection.execute(f"ALTER SCHEMA {self.address.schema} RENAME TO {aside}")
        return f"the schema {aside}"

    def open(self, *, verify: bool = True) -> PostgresSession:
        """Open the ledger; the server itself looks after damage (`data_checksums`)."""
        del verify
        session = PostgresSession(self.address, self.bounds, self.token)
        try:
            with session.reading() as connection:
                version = _read_version(connection, self.address)
            if version < SCHEMA_VERSION:
                self._migrate()
            session.verify_version()
        except BaseException:
            session.close()
            raise
        return session

    def _migrate(self) -> None:
        with self.patient()._session() as session, session.recording() as connection:  # noqa: SLF001 - its own kind
            _take_steps(connection, _read_version(connection, self.address))

    def _session(self) -> AbstractContextManager[PostgresSession]:
        return closing(PostgresSession(self.address, self.bounds, self.token))


def _exists(connection: PostgresConnection, schema: str) -> bool:
    found = connection.execute("SELECT to_regclass(?) IS NOT NULL AS found", (f"{schema}.meta",)).fetchone()
    return bool(found["found"])


def _read_version(connection: PostgresConnection, address: PostgresAddress) -> int:
    if not _exists(connection, address.schema):
        raise LedgerError(f"there is no ledger in {address}; {WAYS_OUT}")
    row = connection.execute("SELECT value FROM meta WHERE key = 'schema'").fetchone()
    with reading():
        version = int(row["value"])
    require_known(version, f"the ledger in {address}")
    return version


def _make_schema(connection: PostgresConnection, address: PostgresAddress) -> None:
    """Create the schema unless there is one."""
    schema = address.schema
    if connection.execute("SELECT 1 AS one FROM pg_namespace WHERE nspname = ?", (schema,)).fetchone() is None:
        connection.execute(f"CREATE SCHEMA {schema}")
    connection.execute(_JSON_EACH)


def _take_steps(connection: PostgresConnection, version: int, migrations: Sequence[Sequence[str]] = MIGRATIONS) -> None:
    for step in migrations[version:]:
        for statement in filter(_is_common, step):
            connection.execute(translate_schema(statement), {"random": token_hex(16)})
    connection.execute(
        "INSERT INTO meta VALUES ('schema', :version) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        {"version": str(len(migrations))},
    )


def _is_common(statement: str) -> bool:
    """Return whether both engines take a statement of the schema: statistics for the planner are SQLite's."""
    return statement != "ANALYZE" and "sqlite_stat1" not in statement


def translate_schema(statement: str) -> str:
    """Return a statement of the schema as PostgreSQL takes it: text sorts by its bytes, tables are strict anyway."""
    statement = re.sub(r"\)\s*STRICT(,\s*WITHOUT ROWID)?\s*$", ")", statement.rstrip())
    if re.match(r"\s*(CREATE|ALTER) TABLE", statement) is None:
        return statement
    return re.sub(r"\bTEXT\b", 'TEXT COLLATE "C"', statement)
