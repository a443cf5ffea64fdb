"""The ledger in an SQLite file, as the rest of the ledger uses it; `file` looks after the file itself."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from os import fspath
from pathlib import Path
from typing import ClassVar

from mastodon_update_check.errors import LedgerError
from mastodon_update_check.ledger.file_lock import FileLock
from mastodon_update_check.ledger.schema import migrate
from mastodon_update_check.ledger.sqlite_file import BUSY_SECONDS, create_file, open_file, set_aside
from mastodon_update_check.ledger.sqlite_problems import translated


@dataclass(frozen=True, slots=True)
class SqliteLocation:
    """The path of a ledger's file."""

    path: Path
    busy_seconds: float = BUSY_SECONDS
    """How long each statement waits for another process that is writing."""
    is_shared: ClassVar[bool] = False
    """Whether daemons on other machines may use it, too."""

    def __str__(self) -> str:
        return str(self.path)

    def ownership(self, host: str = "") -> FileLock:
        """Return the lock file beside the ledger; by a link or not, it is the same."""
        del host
        return FileLock(f"{fspath(self.path.resolve())}.lock")

    def exists(self) -> bool:
        """Return whether there is a file, readable or not."""
        with translated(self.path):
            return self.path.exists()

    def create(self) -> None:
        """Make the file."""
        create_file(self.path)

    def patient(self) -> "SqliteLocation":
        """Return the same: only waiting for others has a bound."""
        return self

    def set_aside(self, now: datetime) -> str | None:
        """Rename the file and its side files."""
        aside = set_aside(self.path, now)
        return None if aside is None else str(aside)

    def open(self, *, verify: bool = True) -> "SqliteSession":
        """Open the file."""
        return SqliteSession(self.path, open_file(self.path, verify=verify, busy_seconds=self.busy_seconds))


class SqliteSession:
    """One connection to the file. SQLite allows one writer at a time."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self._path = path
        self._connection = connection
        self._file = _identify(path)

    def close(self) -> None:
        """Close the connection."""
        with translated(self._path):
            self._connection.close()

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """See the ledger as it is at one moment."""
        with translated(self._path):
            self._connection.execute("BEGIN")
            with self._connection:
                yield self._connection

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Hold the one write transaction."""
        with translated(self._path):
            if _identify(self._path) != self._file:
                raise LedgerError(f"the ledger {self._path} was replaced while it was in use: it is opened again")
            self._connection.execute("BEGIN IMMEDIATE")
            with self._connection:
                yield self._connection

    recording = writing


def open_empty() -> SqliteSession:
    """Return a new ledger in memory."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.row_factory = sqlite3.Row
    migrate(connection)
    return SqliteSession(Path(os.devnull), connection)


def _identify(path: Path) -> tuple[int, int]:
    """Identify a file, to notice that it was replaced."""
    with translated(path):
        status = path.stat()
    return status.st_dev, status.st_ino
