"""What the ledger asks of a database engine: SQLite and PostgreSQL run the same statements.

So every statement is written in the SQL that both take:

- parameters are `?` or `:name`; rows are read by name, so every column has one
- instants are text (`instants.py`), and text sorts by its bytes on both
- conditions are conditions, numbers are numbers: `count(*) FILTER (WHERE …)` instead of `sum(a = b)`,
  `:flag` with a bool, `:count > 0` with a number; a flag in a column is 0 or 1
- NULL is compared with `IS NULL`, and the smaller of two is a `CASE`: `IS :value` and `min(a, b)` are SQLite's alone
- `json_each(text)` gives the strings of a JSON array as rows with a column `value`; PostgreSQL's schema has it, too
- no `COLLATE`, no `rowid`, no `INSERT OR …` (`ON CONFLICT` is understood), no functions of dates
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

Parameters = Mapping[str, object] | Sequence[object]


class Row(Protocol):
    """One row; its columns by name."""

    def __getitem__(self, name: str, /) -> Any:  # noqa: ANN401 - what a column holds, its statement knows
        """Return a column."""

    def keys(self) -> Iterable[str]:
        """Return the columns' names."""


class Result(Protocol):
    """What a statement gives back."""

    @property
    def rowcount(self) -> int:
        """How many rows were changed."""

    def fetchone(self) -> Any:  # noqa: ANN401 - an aggregate has a row always, others may have none
        """Return the next row; None when there is none."""

    def fetchall(self) -> Sequence[Row]:
        """Return the rows that are left."""

    def __iter__(self) -> Iterator[Row]:
        """Go through the rows."""


class Connection(Protocol):
    """Runs statements inside the transaction that its session holds."""

    @property
    def picking(self) -> str:
        """What ends a SELECT that picks one row of `message` to change: a row that another one picks is passed over."""

    @property
    def locking(self) -> str:
        """What ends a SELECT of rows that are to be changed, so that others wait; nothing where they do anyway."""

    def execute(self, statement: str, parameters: Parameters = (), /) -> Result:
        """Run one statement."""

    def stream(self, statement: str, /) -> Iterator[Row]:
        """Run a query whose rows are too many to be held at once."""

    def executemany(self, statement: str, rows: Iterable[Parameters], /) -> object:
        """Run one statement for each row of parameters."""

    def correct(self, now: datetime, /) -> datetime:
        """Return an instant of this machine's clock by the clock that all users of the ledger share.

        Leases are judged by it: machines whose clocks differ would take each other's work away.
        """

    def take_turns(self, subject: str, /) -> bool:
        """Let nobody else pass here with the same subject before this transaction has ended.

        Returns:
            Whether somebody else may have changed something since this transaction began.
        """


class Session(Protocol):
    """An open ledger: one connection, used by one thread. Whatever goes wrong is a `LedgerError`."""

    def reading(self) -> AbstractContextManager[Connection]:
        """See the ledger as it is at one moment."""

    def writing(self) -> AbstractContextManager[Connection]:
        """Be alone with the ledger; what is written is durable at the end, or undone by any exception."""

    def working(self) -> AbstractContextManager[Connection]:
        """Change one message and what hangs on it: like `writing`, but others may do the same beside it."""

    def close(self) -> None:
        """Be done with it."""


class Place(Protocol):
    """Where a ledger is kept; `str()` of it is fit to be shown."""

    @property
    def is_shared(self) -> bool:
        """Whether daemons on other machines may use it, too."""

    def exists(self) -> bool:
        """Whether there is a ledger."""

    def create(self) -> None:
        """Make an empty one, whole or not at all; one that is there is left alone."""

    def patient(self) -> "Place":
        """Return the same place, with bounds for what goes through all that is in it."""

    def set_aside(self, now: datetime) -> str | None:
        """Put the ledger out of the way; return where it is then, or None if there was none."""

    def back_up(self, target: Path) -> None:
        """Copy the ledger to a new file, while it may be in use."""

    def open(self, *, verify: bool = True) -> Session:
        """Open the ledger that is there, brought to the present schema; `verify` looks for damage first."""
