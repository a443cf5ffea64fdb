"""The interface of a database engine: SQLite and PostgreSQL run the same statements on the same values.

Every statement is written in the SQL that both accept:

- parameters are `?` or `:name`; rows are read by name, so every column has one
- conditions are conditions, numbers are numbers: `count(*) FILTER (WHERE …)` instead of `sum(a = b)`,
  `:flag` with a bool, `:count > 0` with a number; a flag in a column is 0 or 1
- NULL is compared with `IS NULL`, and the smaller of two is a `CASE`: `IS :value` and `min(a, b)` are SQLite's alone
- `json_each(text)` gives the strings of a JSON array as rows with a column `value`; the PostgreSQL schema defines it
- no `COLLATE`, no `rowid`, no `INSERT OR …` (`ON CONFLICT` is understood), no date functions

Instants are ISO 8601 in UTC with milliseconds, so that they sort as text, by its bytes on both; larger values are JSON.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, TypeVar

if TYPE_CHECKING:
    import sqlite3

    from mastodon_update_check.ledger.postgres_session import PostgresConnection

    Connection = sqlite3.Connection | PostgresConnection

T = TypeVar("T")
Row = Any
_JSON: Final = frozenset({"arguments", "identities", "notice", "recipient"})


@dataclass(frozen=True, slots=True)
class Transaction:
    """A connection inside a transaction, and the instance whose rows it is about."""

    connection: "Connection"
    instance: str

    def execute(self, statement: str, /, **parameters: object) -> Any:  # noqa: ANN401 - a cursor of either library
        """Run one statement, in which `:instance` is the instance."""
        return self.connection.execute(statement, {"instance": self.instance, **parameters})


class DamagedRowError(Exception):
    """A row holds what this program never wrote: SQLite has no checksums, so a flipped bit may show only here."""


@contextmanager
def reading() -> Iterator[None]:
    """Turn any error while a stored value is read into a `DamagedRowError`."""
    try:
        yield
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DamagedRowError(f"a row in it cannot be read ({type(error).__name__})") from error


def read_row(form: type[T], row: Row, **others: object) -> T:
    """Return the dataclass whose fields are columns of the row; `others` are its other fields."""
    from mastodon_update_check.domain.stored_json import from_json  # not in the resident process

    with reading():
        columns = {name: json.loads(value) if name in _JSON else value for name, value in dict(row).items()}
        known: dict[str, Any] = {
            each.name: from_json(each.type, columns[each.name])
            for each in fields(form)  # type: ignore[arg-type]  # a dataclass, which no type says
            if each.name in columns.keys() - others.keys()
        }
        return form(**known, **others)


def stamp(instant: datetime) -> str:
    """Write an aware instant."""
    return instant.astimezone(UTC).isoformat(timespec="milliseconds")


def read_stamp(text: str | None) -> datetime | None:
    """Read back what `stamp` wrote."""
    with reading():
        return None if text is None else datetime.fromisoformat(text)
