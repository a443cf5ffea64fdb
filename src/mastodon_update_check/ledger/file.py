"""The SQLite file that holds the ledger: made whole or not at all, checked when opened, never silently replaced."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import datetime
from pathlib import Path
from urllib.parse import quote

from mastodon_update_check.errors import LedgerError
from mastodon_update_check.ledger.schema import APPLICATION_ID, MIGRATIONS, SCHEMA_VERSION

BUSY_SECONDS = 5.0
"""How long to wait for another process that is writing."""
_WAYS_OUT = "restore a backup in its place, or begin anew with `mastodon-update-check ledger new`"


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Turn every error of SQLite and of the file system into a `LedgerError` that says what to do."""
    try:
        yield
    except sqlite3.Error as error:
        raise LedgerError(f"the ledger {path} {_explain(error)}") from error
    except OSError as error:
        raise LedgerError(f"the ledger {path} cannot be used: {error.strerror}") from error


def _explain(error: sqlite3.Error) -> str:
    name = getattr(error, "sqlite_errorname", "")
    explanations = {
        "SQLITE_FULL": "cannot be written: the disk is full; nothing is sent until there is room",
        "SQLITE_READONLY": "cannot be written: it is read-only for this user",
        "SQLITE_PERM": "cannot be used: permission denied",
        "SQLITE_CANTOPEN": "cannot be opened: look at the permissions of its directory",
        "SQLITE_BUSY": f"is locked by another process, for more than {BUSY_SECONDS:.0f} seconds",
        "SQLITE_LOCKED": "is locked by another process",
        "SQLITE_IOERR": "cannot be read or written: the disk reports an error",
        "SQLITE_CORRUPT": f"is damaged; {_WAYS_OUT}",
        "SQLITE_NOTADB": f"is damaged, or no ledger at all; {_WAYS_OUT}",
    }
    for known, text in explanations.items():
        if name.startswith(known):
            return text
    return f"cannot be used ({name or 'error'}: {error})"


def open_file(path: Path, *, verify: bool = True) -> sqlite3.Connection:
    """Open an existing ledger for reading and writing, migrated to the present schema.

    Args:
        path: the file.
        verify: read it through for damage first; once in a process is enough.

    Raises:
        LedgerError: missing, empty, damaged, newer than this program, locked, read-only, or on a full disk.
    """
    with translated(path):
        if path.stat().st_size == 0:
            raise LedgerError(f"the ledger {path} is empty, so what was told is lost; {_WAYS_OUT}")
        connection = _connect(path)
        try:
            _verify(connection, path, thoroughly=verify)
            _migrate(connection)
        except BaseException:
            connection.close()
            raise
    return connection


def create_file(path: Path) -> None:
    """Create an empty ledger at `path`; one that another process has just made there is left alone.

    It is made under another name and then linked into place: a crash leaves either nothing or a whole ledger.
    """
    with translated(path):
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft = path.with_name(f"{path.name}.{os.getpid()}.new")
        os.close(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        try:
            with closing(_connect(draft)) as connection:
                _migrate(connection)
            with suppress(FileExistsError):
                os.link(draft, path)
        finally:
            draft.unlink()
        _sync_directory(path.parent)


def set_aside(path: Path, now: datetime) -> Path:
    """Rename a ledger, and the side files that SQLite may have left, out of the way; return its new name."""
    aside = path.with_name(f"{path.name}.{now.strftime('%Y%m%dT%H%M%SZ')}.old")
    with translated(path):
        for suffix in ("-wal", "-shm", ""):
            source = path.with_name(path.name + suffix)
            if source.exists():
                source.rename(aside.with_name(aside.name + suffix))
        _sync_directory(path.parent)
    return aside


def back_up(path: Path, target: Path) -> None:
    """Copy the ledger to a new file `target` while it may be in use.

    Raises:
        LedgerError: `target` exists, or either file cannot be used.
    """
    with closing(open_file(path)) as source, translated(target):
        if target.exists():
            raise LedgerError(f"{target} exists already: name a new file for the backup")
        draft = target.with_name(f"{target.name}.{os.getpid()}.new")
        os.close(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        try:
            with closing(sqlite3.connect(draft, isolation_level=None)) as copy:
                source.backup(copy)
                copy.execute("PRAGMA journal_mode = DELETE")
            os.link(draft, target)
        finally:
            draft.unlink()
        _sync_directory(target.parent)


def _connect(path: Path) -> sqlite3.Connection:
    # mode=rw: a file that vanished meanwhile is an error, not a new ledger that has forgotten everything.
    address = f"file:{quote(str(path.resolve()))}?mode=rw"
    connection = sqlite3.connect(address, uri=True, timeout=BUSY_SECONDS, isolation_level=None)
    connection.row_factory = sqlite3.Row
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA trusted_schema = OFF")
    connection.execute("PRAGMA synchronous = FULL")
    return connection


def _verify(connection: sqlite3.Connection, path: Path, *, thoroughly: bool) -> None:
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if int(connection.execute("PRAGMA application_id").fetchone()[0]) != APPLICATION_ID:
        raise LedgerError(f"{path} is not a ledger of this program; name another file in UPDATE_CHECK_LEDGER")
    if version > SCHEMA_VERSION:
        raise LedgerError(
            f"the ledger {path} was written by a newer version of this program (schema {version}, this one knows "
            f"{SCHEMA_VERSION}): upgrade this program, or restore the backup from before"
        )
    if thoroughly:
        verdict = str(connection.execute("PRAGMA quick_check(1)").fetchone()[0])
        if verdict != "ok":
            raise LedgerError(f"the ledger {path} is damaged; {_WAYS_OUT}")


def _migrate(connection: sqlite3.Connection) -> None:
    """Take the steps that are missing, in one transaction (SQLite rolls back schema changes and user_version too)."""
    if int(connection.execute("PRAGMA user_version").fetchone()[0]) == SCHEMA_VERSION:
        return
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("BEGIN IMMEDIATE")
    with connection:  # commits, or rolls back on an error
        version = int(connection.execute("PRAGMA user_version").fetchone()[0])
        for step in MIGRATIONS[version:]:
            for statement in step:
                connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
