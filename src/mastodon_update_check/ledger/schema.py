"""The ledger's tables: `migrations/1.sql` makes them, each further file leads from one version of them to the next.

`message` is the unit of attempt and retry; `delivery` is one notice for one recipient. Instants are ISO 8601 in UTC
with milliseconds, so that they sort as text. Statements are separated by blank lines; `:random` is a random word.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from mastodon_update_check.errors import LedgerError

if TYPE_CHECKING:
    import sqlite3

APPLICATION_ID = 0x4D555043
"""Marks the file as ours ("MUPC")."""
SCHEMA_VERSION = 3
KEPT_BY_MIGRATION = ("schema", "compatibility")
"""Keys of `meta` that belong to the schema. A copy has its own."""
TABLES = ("instance", "message", "delivery", "attempt", "sink", "meta", "node")
"""The tables that a copy holds: not those about the processes that use this ledger. Each refers to those before it."""


def read_migrations(version: int) -> Iterator[str]:
    """Yield the statements that lead from a version of the tables, 0 for none, to the present one."""
    from pathlib import Path
    from secrets import token_hex

    for number in range(version + 1, SCHEMA_VERSION + 1):
        text = Path(__file__).with_name("migrations").joinpath(f"{number}.sql").read_text(encoding="utf-8")
        yield from text.replace(":random", f"'{token_hex(16)}'").split("\n\n")


def migrate(connection: "sqlite3.Connection") -> None:
    """Take the steps that are missing, in one transaction (SQLite rolls back schema changes and user_version too)."""
    if int(connection.execute("PRAGMA user_version").fetchone()[0]) == SCHEMA_VERSION:
        return
    connection.execute("BEGIN IMMEDIATE")
    with connection:  # commits, or rolls back on an error
        for statement in read_migrations(int(connection.execute("PRAGMA user_version").fetchone()[0])):
            connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")


def require_known(version: int, place: str) -> None:
    """Raise `LedgerError` for a ledger whose schema is newer than this program."""
    if version > SCHEMA_VERSION:
        raise LedgerError(
            f"{place} was written by a newer version of this program (schema {version}, this one knows "
            f"{SCHEMA_VERSION}): upgrade this program, or restore the backup from before"
        )
