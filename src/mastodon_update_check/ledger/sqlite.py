"""The SQLite file that holds the ledger: made whole or not at all, checked when opened, never silently replaced.

It is in WAL mode with `synchronous = FULL`, so commits survive a power cut. A killed process leaves its last commits
in a side file (`-wal`), which SQLite applies at the next opening. A side file must therefore never meet another ledger.
"""

import os
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from tempfile import mkstemp
from typing import ClassVar, Self
from urllib.parse import quote

from mastodon_update_check.errors import LedgerError
from mastodon_update_check.ledger.file_lock import FileLock
from mastodon_update_check.ledger.schema import APPLICATION_ID, migrate, require_known
from mastodon_update_check.ledger.sqlite_session import WAYS_OUT, SqliteSession, translated

_SIDE_FILES = ("-wal", "-shm")
_VERSIONS_AT = slice(18, 20)
"""Where a database says how it is written: 1 with a rollback journal, as every backup is; 2 in WAL mode."""


@dataclass(frozen=True, slots=True)
class SqliteLocation:
    """The path of a ledger's file."""

    path: Path
    busy_seconds: float = 5.0
    """How long each statement waits for another process that is writing."""
    is_shared: ClassVar[bool] = False
    """Whether daemons on other machines may use it, too."""

    def __str__(self) -> str:
        return str(self.path)

    def ownership(self, _host: str = "") -> FileLock:
        """Return the lock file beside the ledger; by a link or not, it is the same."""
        return FileLock(f"{self.path.resolve()}.lock")

    def exists(self) -> bool:
        """Return whether there is a file, readable or not."""
        with translated(self.path):
            return self.path.exists()

    def patient(self) -> Self:
        """Return the same: only waiting for others has a bound."""
        return self

    def open(self, *, verify: bool = True) -> SqliteSession:
        """Open an existing ledger for reading and writing, migrated to the present schema.

        `verify` reads it through for damage first; once in a process is enough. Raises `LedgerError` if it is missing,
        empty, damaged, newer than this program, locked, read-only, or on a full disk.
        """
        path = self.path
        with translated(path):
            if _require_regular(path).st_size == 0:
                raise LedgerError(f"the ledger {path} is empty, so it has lost what was sent; {WAYS_OUT}")
            _refuse_foreign_side_file(path)
            connection = _connect(path, self.busy_seconds)
            try:
                _prepare(connection)
                _verify(connection, path, thoroughly=verify)
                _ensure_wal(connection, path)
                migrate(connection)
                return SqliteSession(path, connection)
            except BaseException:
                connection.close()
                raise

    def create(self) -> None:
        """Create an empty ledger, whole or not at all; one that another process has just made there is left alone."""
        path = self.path
        with translated(path):
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            # This comes first: a process that creates a ledger at this moment creates the side file after it.
            has_side_file = _side_file(path).exists()
            if has_side_file and not path.exists():
                raise LedgerError(
                    f"the ledger {path} is gone, but its side file {_side_file(path).name} is there: remove that and "
                    "restore a backup, or start a new one with `mastodon-update-check ledger new`"
                )
            with _draft(path) as draft:
                with closing(_connect(draft, self.busy_seconds)) as connection:
                    _prepare(connection)
                    migrate(connection)  # in WAL mode, closing it would report no full disk
                    _ensure_wal(connection, draft)
                with suppress(FileExistsError):
                    os.link(draft, path)
            _sync_directory(path.parent)

    def set_aside(self, now: datetime) -> Path | None:
        """Rename the ledger, and the side files that SQLite may have left; return its new name, None without one."""
        path = self.path
        aside = path.with_name(f"{path.name}.{now.strftime('%Y%m%dT%H%M%SZ')}.old")
        with translated(path):
            # The ledger is renamed first: without its side file, which holds the last commits, no process may open it.
            found = [suffix for suffix in ("", *_SIDE_FILES) if path.with_name(path.name + suffix).exists()]
            if "" in found:
                _require_regular(path)
            for suffix in found:
                target = aside.with_name(aside.name + suffix)
                if target.exists():
                    raise LedgerError(f"{target} exists already: move it away, or try again in a moment")
                path.with_name(path.name + suffix).rename(target)
            if found:
                _sync_directory(path.parent)
        return aside if found else None


@contextmanager
def backup_file(target: Path) -> Iterator[sqlite3.Connection]:
    """Connect to an empty file, which appears as `target` once the block has ended without an error."""
    with translated(target):
        if target.exists():
            raise LedgerError(f"{target} exists already: name a new file for the backup")
        with _draft(target) as draft:
            with closing(sqlite3.connect(draft, isolation_level=None)) as copy:
                copy.execute("PRAGMA synchronous = FULL")
                yield copy
                copy.execute("PRAGMA journal_mode = DELETE")  # one file, without side files
            os.link(draft, target)
        _sync_directory(target.parent)


@contextmanager
def _draft(path: Path) -> Iterator[Path]:
    """Make an empty file beside `path` that only its owner may read; it goes away at the end of the block."""
    descriptor, name = mkstemp(prefix=f"{path.name}.", suffix=".new", dir=path.parent)
    os.close(descriptor)
    draft = Path(name)
    try:
        yield draft
    finally:
        for suffix in ("", "-journal", *_SIDE_FILES):
            draft.with_name(draft.name + suffix).unlink(missing_ok=True)


def _require_regular(path: Path) -> os.stat_result:
    """Return the status of a file; a directory or a device in its place is neither read nor moved away."""
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        what = "a directory" if stat.S_ISDIR(status.st_mode) else "not a regular file"
        raise LedgerError(f"the ledger {path} is {what}: name a file in UPDATE_CHECK_LEDGER, say /PATH/ledger.sqlite3")
    return status


def _side_file(path: Path) -> Path:
    real = path.resolve()
    return real.parent / f"{real.name}-wal"  # also of `/`, which has no name


def _refuse_foreign_side_file(path: Path) -> None:
    """Raise if SQLite would play another ledger's commits into this one.

    A ledger in use is in WAL mode before it has a side file. One beside a file that is not is left over from the
    ledger that stood here before.
    """
    side_file = _side_file(path)
    # This comes first: a process that turns a backup into a ledger at this moment creates the side file last.
    try:
        is_left = side_file.stat().st_size > 0
    except FileNotFoundError:  # there is none, or the last user of the ledger removes it at this moment
        return
    if not is_left:
        return
    status = path.stat()
    versions = os.pread(_reading(path, status.st_dev, status.st_ino), _VERSIONS_AT.stop, 0)[_VERSIONS_AT]
    if versions == b"\x01\x01":
        raise LedgerError(
            f"a backup was put in the place of the ledger {path}, but {side_file.name} still holds the last "
            f"commits of the old one: stop every process that uses it, and move {side_file.name} and "
            f"{side_file.name.removesuffix('-wal')}-shm away"
        )


@cache
def _reading(path: Path, _device: int, _inode: int) -> int:
    """Return a descriptor of a ledger that is never closed.

    Closing any descriptor of a file takes all of this process's locks on it away (fcntl(2)), SQLite's in other threads
    too: another process would then write at the same time, and commits would be lost.
    """
    return os.open(path, os.O_RDONLY | os.O_CLOEXEC)


def _connect(path: Path, busy_seconds: float) -> sqlite3.Connection:
    # mode=rw: a file that vanished meanwhile is an error, not a new ledger that has forgotten everything.
    address = f"file:{quote(os.fsencode(path.resolve()))}?mode=rw"
    connection = sqlite3.connect(address, uri=True, timeout=busy_seconds, isolation_level=None)
    connection.row_factory = sqlite3.Row
    return connection


def _prepare(connection: sqlite3.Connection) -> None:
    """Set what holds for one connection only."""
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA trusted_schema = OFF")
    connection.execute("PRAGMA synchronous = FULL")


def _verify(connection: sqlite3.Connection, path: Path, *, thoroughly: bool) -> None:
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if int(connection.execute("PRAGMA application_id").fetchone()[0]) != APPLICATION_ID:
        raise LedgerError(f"{path} is not a ledger of this program; name another file in UPDATE_CHECK_LEDGER")
    require_known(version, f"the ledger {path}")
    if thoroughly:
        # Not quick_check: a message that is missing from its index would never be sent.
        verdict = str(connection.execute("PRAGMA integrity_check(1)").fetchone()[0])
        if verdict != "ok":
            raise LedgerError(f"the ledger {path} is damaged; {WAYS_OUT}")


def _ensure_wal(connection: sqlite3.Connection, path: Path) -> None:
    """Write in WAL mode from now on; it lasts in the file, but a backup comes without it."""
    if connection.execute("PRAGMA journal_mode = WAL").fetchone()[0] != "wal":
        raise LedgerError(
            f"the ledger {path} cannot be kept safely there (a network file system?): name a file on a local disk in "
            "UPDATE_CHECK_LEDGER"
        )


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
