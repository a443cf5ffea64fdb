"""The interface of a database engine: SQLite and PostgreSQL run the same statements.

Every statement is written in the SQL that both accept:

- parameters are `?` or `:name`; rows are read by name, so every column has one
- instants are text (`stored.py`), and text sorts by its bytes on both
- conditions are conditions, numbers are numbers: `count(*) FILTER (WHERE …)` instead of `sum(a = b)`,
  `:flag` with a bool, `:count > 0` with a number; a flag in a column is 0 or 1
- NULL is compared with `IS NULL`, and the smaller of two is a `CASE`: `IS :value` and `min(a, b)` are SQLite's alone
- `json_each(text)` gives the strings of a JSON array as rows with a column `value`; the PostgreSQL schema defines it
- no `COLLATE`, no `rowid`, no `INSERT OR …` (`ON CONFLICT` is understood), no date functions
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import sqlite3

    from mastodon_update_check.ledger.postgres_session import PostgresConnection

Row = Any
"""A row of either library; its columns by name."""


@dataclass(frozen=True, slots=True)
class Transaction:
    """A connection inside a transaction, and the instance whose rows it is about."""

    connection: "sqlite3.Connection | PostgresConnection"
    instance: str

    def execute(self, statement: str, /, **parameters: object) -> Any:  # noqa: ANN401 - a cursor of either library
        """Run one statement, in which `:instance` is the instance."""
        return self.connection.execute(statement, {"instance": self.instance, **parameters})
