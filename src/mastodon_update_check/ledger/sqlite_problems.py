"""Errors of SQLite and of the file, each as a sentence that names the file and a way out."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mastodon_update_check.domain.text import clean
from mastodon_update_check.errors import LedgerError
from mastodon_update_check.ledger.stored import DamagedRowError

WAYS_OUT = "restore a backup in its place, or start a new one with `mastodon-update-check ledger new`"


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
        raise LedgerError(
            f"the ledger {path} cannot be used: {error.strerror}; look at its directory and the permissions"
        ) from error


def _explain(error: sqlite3.Error) -> str:
    name = getattr(error, "sqlite_errorname", "")
    explanations = {
        "SQLITE_FULL": "cannot be written: the disk is full; nothing is sent until there is room",
        "SQLITE_READONLY": "cannot be written: it or its directory is read-only for this user: see the permissions",
        "SQLITE_PERM": "cannot be used: permission denied; look at its permissions",
        "SQLITE_CANTOPEN": "cannot be opened: look at its permissions and its directory's",
        "SQLITE_BUSY": "is locked by another process: try again, or end what holds it",
        "SQLITE_LOCKED": "is locked by another process: try again, or end what holds it",
        "SQLITE_IOERR": "cannot be read or written: the disk reports an error; look at the system's log",
        "SQLITE_CORRUPT": f"is damaged; {WAYS_OUT}",
        "SQLITE_NOTADB": f"is damaged, or not a ledger; {WAYS_OUT}",
    }
    for known, text in explanations.items():
        if name.startswith(known):
            return text
    return f"cannot be used ({name or 'error'}: {clean(str(error))}); {WAYS_OUT}"
