"""A connection to the ledger's file; every error of SQLite and of the file names the file and a way out."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from mastodon_update_check.domain.text import clean
from mastodon_update_check.errors import LedgerError
from mastodon_update_check.ledger.engine import DamagedRowError
from mastodon_update_check.ledger.schema import migrate

WAYS_OUT = "restore a backup in its place, or start a new one with `mastodon-update-check ledger new`"
_EXPLANATIONS = {
    "SQLITE_FULL": "cannot be written: the disk is full; nothing is sent until there is room",
    "SQLITE_IOERR_SHMSIZE": "cannot be used: the disk is full, or the disk reports an error (see the system's log)",
    "SQLITE_READONLY": "cannot be written: it or its directory is read-only for this user: see the permissions",
    "SQLITE_PERM": "cannot be used: permission denied; look at its permissions",
    "SQLITE_CANTOPEN": "cannot be opened: look at its permissions and its directory's, and how the disk is mounted",
    "SQLITE_BUSY": "is locked by another process: try again, or end what holds it",
    "SQLITE_LOCKED": "is locked by another process: try again, or end what holds it",
    "SQLITE_IOERR": "cannot be read or written: the disk reports an error; look at the system's log",
    "SQLITE_CORRUPT": f"is damaged; {WAYS_OUT}",
    "SQLITE_NOTADB": f"is damaged, or not a ledger; {WAYS_OUT}",
}


class SqliteSession:
    """One connection to the file. SQLite allows one writer at a time."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.connection = connection
        self._path = path
        with translated(path):
            self._file = path.stat()

    def close(self) -> None:
        """Close the connection."""
        with translated(self._path):
            self.connection.close()

    def reading(self) -> AbstractContextManager[sqlite3.Connection]:
        """See the ledger as it is at one moment."""
        return self._transaction("BEGIN")

    def writing(self) -> AbstractContextManager[sqlite3.Connection]:
        """Hold the one write transaction."""
        with translated(self._path):
            if not os.path.samestat(self._path.stat(), self._file):
                raise LedgerError(f"the ledger {self._path} was replaced while it was in use: it is opened again")
        return self._transaction("BEGIN IMMEDIATE")

    recording = writing

    @contextmanager
    def _transaction(self, begin: str) -> Iterator[sqlite3.Connection]:
        with translated(self._path):
            self.connection.execute(begin)
            with self.connection:
                yield self.connection


def open_empty() -> SqliteSession:
    """Return a new ledger in memory."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.row_factory = sqlite3.Row
    migrate(connection)
    return SqliteSession(Path(os.devnull), connection)


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Turn every error of SQLite and of the file system into a `LedgerError` that says what to do."""
    try:
        yield
    except sqlite3.Error as error:
        raise LedgerError(f"the ledger {path} {_explain(error)}") from error
    except UnicodeDecodeError as error:  # SQLite quotes bytes that it cannot read, which need not be text
        raise LedgerError(f"the ledger {path} is damaged; {WAYS_OUT}") from error
    except DamagedRowError as error:
        raise LedgerError(f"the ledger {path} is damaged: {error}; {WAYS_OUT}") from error
    except FileNotFoundError as error:
        raise LedgerError(f"the ledger {path} is not there; {WAYS_OUT}") from error
    except OSError as error:
        raise LedgerError(f"the ledger {path} cannot be used: {error.strerror}; look at its permissions") from error


def _explain(error: sqlite3.Error) -> str:
    name = getattr(error, "sqlite_errorname", "")
    known = (text for prefix, text in _EXPLANATIONS.items() if name.startswith(prefix))
    return next(known, f"cannot be used ({name or 'error'}: {clean(str(error))}); {WAYS_OUT}")
