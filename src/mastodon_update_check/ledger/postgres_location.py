"""Making, finding and migrating a ledger in PostgreSQL."""

import re
from collections.abc import Sequence
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass, field, replace
from datetime import datetime
from secrets import token_hex
from typing import ClassVar, Final

from mastodon_update_check.errors import LedgerError
from mastodon_update_check.ledger.engine import reading
from mastodon_update_check.ledger.lease import Lease
from mastodon_update_check.ledger.postgres_address import WAYS_OUT, PostgresAddress
from mastodon_update_check.ledger.postgres_session import (
    BOUNDS,
    PATIENT,
    PostgresBounds,
    PostgresConnection,
    PostgresSession,
)
from mastodon_update_check.ledger.schema import MIGRATIONS, SCHEMA_VERSION, require_known

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
            return self._exists(connection)

    def patient(self) -> "PostgresLocation":
        """Return the same place with other bounds."""
        return replace(self, bounds=PATIENT)

    def open(self, *, verify: bool = True) -> PostgresSession:
        """Open the ledger, migrated to the present schema; the server looks after damage (`data_checksums`)."""
        del verify
        session = PostgresSession(self.address, self.bounds, self.token)
        try:
            with session.reading() as connection:
                version = self._read_version(connection)
            if version < SCHEMA_VERSION:
                with self.patient()._session() as patient, patient.recording() as connection:  # noqa: SLF001 - its own kind
                    _take_steps(connection, self._read_version(connection))
            session.verify_version()
        except BaseException:
            session.close()
            raise
        return session

    def create(self) -> None:
        """Make the tables, and the schema if it is missing, in one transaction."""
        schema = self.address.schema
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
        aside = f"{self.address.schema}_{now.strftime('%Y%m%d%H%M%S')}_old"
        with self._session() as session, session.renewing() as connection:
            if not self._exists(connection):
                return None
            connection.execute(f"ALTER SCHEMA {self.address.schema} RENAME TO {aside}")
        return f"the schema {aside}"

    def _session(self) -> AbstractContextManager[PostgresSession]:
        return closing(PostgresSession(self.address, self.bounds, self.token))

    def _exists(self, connection: PostgresConnection) -> bool:
        table = f"{self.address.schema}.meta"
        return bool(connection.execute("SELECT to_regclass(?) IS NOT NULL AS found", (table,)).fetchone()["found"])

    def _read_version(self, connection: PostgresConnection) -> int:
        if not self._exists(connection):
            raise LedgerError(f"there is no ledger in {self}; {WAYS_OUT}")
        row = connection.execute("SELECT value FROM meta WHERE key = 'schema'").fetchone()
        with reading():
            version = int(row["value"])
        require_known(version, f"the ledger in {self}")
        return version


def _take_steps(connection: PostgresConnection, version: int, migrations: Sequence[Sequence[str]] = MIGRATIONS) -> None:
    for step in migrations[version:]:
        for statement in step:
            if statement != "ANALYZE" and "sqlite_stat1" not in statement:  # statistics for SQLite's planner
                connection.execute(_translate_schema(statement), {"random": token_hex(16)})
    connection.execute(
        "INSERT INTO meta VALUES ('schema', :version) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        {"version": str(len(migrations))},
    )


def _translate_schema(statement: str) -> str:
    """Return a statement of the schema as PostgreSQL takes it: text sorts by its bytes, tables are strict anyway."""
    statement = re.sub(r"\)\s*STRICT(,\s*WITHOUT ROWID)?\s*$", ")", statement.rstrip())
    if re.match(r"\s*(CREATE|ALTER) TABLE", statement) is None:
        return statement
    return re.sub(r"\bTEXT\b", 'TEXT COLLATE "C"', statement)
