"""The interface of a database engine: SQLite and PostgreSQL run the same statements.

Every statement is written in the SQL that both accept:

- parameters are `?` or `:name`; rows are read by name, so every column has one
- instants are text (`instants.py`), and text sorts by its bytes on both
- conditions are conditions, numbers are numbers: `count(*) FILTER (WHERE …)` instead of `sum(a = b)`,
  `:flag` with a bool, `:count > 0` with a number; a flag in a column is 0 or 1
- NULL is compared with `IS NULL`, and the smaller of two is a `CASE`: `IS :value` and `min(a, b)` are SQLite's alone
- `json_each(text)` gives the strings of a JSON array as rows with a column `value`; the PostgreSQL schema defines it
- no `COLLATE`, no `rowid`, no `INSERT OR …` (`ON CONFLICT` is understood), no date functions
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from mastodon_update_check.ledger.ownership import Ownership

Parameters = Mapping[str, object] | Sequence[object]


class Row(Protocol):
    """One row; its columns by name."""

    def __getitem__(self, name: str, /) -> Any:  # noqa: ANN401 - the statement knows the type of its columns
        """Return a column."""

    def keys(self) -> Iterable[str]:
        """Return the columns' names."""


class Result(Protocol):
    """The result of a statement."""

    @property
    def rowcount(self) -> int:
        """The number of rows that were changed."""

    def fetchone(self) -> Any:  # noqa: ANN401 - an aggregate always has a row, other queries may have none
        """Return the next row; None when there is none."""

    def fetchall(self) -> Sequence[Row]:
        """Return the remaining rows."""

    def __iter__(self) -> Iterator[Row]:
        """Iterate over the rows."""


class Connection(Protocol):
    """Runs statements inside the transaction that its session holds."""

    def execute(self, statement: str, parameters: Parameters = (), /) -> Result:
        """Run one statement."""

    def executemany(self, statement: str, rows: Iterable[Parameters], /) -> object:
        """Run one statement for each row of parameters."""


@dataclass(frozen=True, slots=True)
class Transaction:
    """A connection inside a transaction, and the instance whose rows it is about."""

    connection: Connection
    instance: str

    def execute(self, statement: str, /, **parameters: object) -> Result:
        """Run one statement, in which `:instance` is the instance."""
        return self.connection.execute(statement, {"instance": self.instance, **parameters})


class Session(Protocol):
    """An open ledger: one connection, used by one thread. Every failure is a `LedgerError`."""

    def reading(self) -> AbstractContextManager[Connection]:
        """See the ledger as it is at one moment."""

    def writing(self) -> AbstractContextManager[Connection]:
        """Change the ledger as its owner; durable at the end, or undone by any exception.

        Raises:
            OwnershipLostError: another process owns the ledger now.
        """

    def recording(self) -> AbstractContextManager[Connection]:
        """Record a fact that is true whichever process owns the ledger: an acceptance, a request."""

    def close(self) -> None:
        """Close the connection."""


class Location(Protocol):
    """Where a ledger is kept; `str()` of it is fit to be shown."""

    @property
    def is_shared(self) -> bool:
        """Whether daemons on other machines may use it, too."""

    def ownership(self, host: str) -> Ownership:
        """Return this process's means to own the ledger."""

    def exists(self) -> bool:
        """Whether there is a ledger."""

    def create(self) -> None:
        """Create an empty one, whole or not at all; an existing one is left alone."""

    def patient(self) -> "Location":
        """Return the same location, with time limits for an operation on all of its content."""

    def set_aside(self, now: datetime) -> str | None:
        """Rename the ledger; return its new name, or None if there was none."""

    def back_up(self, target: Path) -> None:
        """Copy the ledger to a new file, while it may be in use."""

    def open(self, *, verify: bool = True) -> Session:
        """Open the existing ledger, migrated to the present schema; `verify` looks for damage first."""
