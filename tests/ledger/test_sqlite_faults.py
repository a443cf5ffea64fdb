"""A ledger that cannot be written: read-only, locked, on a full disk."""

import os
import resource
import signal
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from domain.examples import cases
from ledger.examples import ALICE, BOB, INSTANCE, NOW, facts, update
from ledger.locations import query
from ledger.steps import record_heartbeat, replan, states
from mastodon_update_check.domain.outbox import DeliveryState
from mastodon_update_check.errors import LedgerError
from mastodon_update_check.ledger.copying import back_up
from mastodon_update_check.ledger.ledger import Ledger
from mastodon_update_check.ledger.sqlite import SqliteLocation

NOBODY = 65534
RELEASE = update("4.5.1")


@pytest.fixture
def place(path: Path) -> SqliteLocation:
    """Return where the ledgers of this file are: on SQLite alone."""
    return SqliteLocation(path)


@contextmanager
def as_nobody() -> Iterator[None]:
    """Run without root's rights, so that permissions apply."""
    if os.geteuid() != 0:
        yield
        return
    os.setegid(NOBODY)
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)


@pytest.fixture
def reachable(tmp_path: Path) -> Iterator[Path]:
    """Return a directory that every user can reach, unlike pytest's."""
    del tmp_path
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        directory.chmod(0o755)
        yield directory
        for entry in (directory, *directory.rglob("*")):
            entry.chmod(0o755)


@cases(
    "file_mode directory_mode words",
    (0o444, 0o555, "cannot be written: it or its directory is read-only"),
    (0o666, 0o555, "cannot be written: it or its directory is read-only"),
    (0o444, 0o777, "cannot be written: it or its directory is read-only"),
    (0o000, 0o755, "cannot be opened: look at its permissions and its dir"),
    (0o666, 0o000, "cannot be used: Permission denied; look at"),
)
def test_a_ledger_without_permission(reachable: Path, file_mode: int, directory_mode: int, words: str) -> None:
    """The error says what to look at, and the file stays as it is."""
    path = reachable / "state" / "ledger.sqlite3"
    SqliteLocation(path).create()
    before = path.read_bytes()
    path.chmod(file_mode)
    path.parent.chmod(directory_mode)
    with as_nobody(), pytest.raises(LedgerError) as caught, Ledger.open(SqliteLocation(path), INSTANCE) as ledger:
        record_heartbeat(ledger, "web1", NOW)
    path.parent.chmod(0o755)
    path.chmod(0o644)

    assert f"the ledger {path} {words}" in str(caught.value)
    assert before == path.read_bytes()


def test_no_ledger_is_made_without_permission(reachable: Path) -> None:
    """Neither the directory nor the file."""
    reachable.chmod(0o555)
    with as_nobody():
        for path in (reachable / "ledger.sqlite3", reachable / "state" / "ledger.sqlite3"):
            with pytest.raises(LedgerError, match=f"the ledger {path} cannot be used: Permission denied; look at"):
                Ledger.create(SqliteLocation(path), INSTANCE)
    reachable.chmod(0o755)

    assert list(reachable.iterdir()) == []


@pytest.mark.parametrize(("make", "what"), [(Path.mkdir, "a directory"), (os.mkfifo, "not a regular file")])
def test_directory_or_device_is_refused(path: Path, make: Callable[[Path], None], what: str) -> None:
    """A directory or a device is named as such, and is not renamed."""
    make(path)
    for use in (SqliteLocation.open, lambda place: place.set_aside(NOW)):
        with pytest.raises(LedgerError, match=f"^the ledger {path} is {what}: name a file in UPDATE_CHECK_LEDGER"):
            use(SqliteLocation(path))
    assert [path] == [*path.parent.iterdir()]


@pytest.mark.parametrize("journal", ["WAL", "DELETE"])
def test_a_ledger_that_another_process_has_for_itself(path: Path, journal: str) -> None:
    """It cannot be opened, and neither can a restored backup that another process uses."""
    SqliteLocation(path).create()
    query(path, f"PRAGMA journal_mode = {journal}")
    with closing(sqlite3.connect(path, isolation_level=None)) as holder:
        holder.execute("PRAGMA locking_mode = EXCLUSIVE")
        holder.execute("BEGIN EXCLUSIVE")
        holder.execute("UPDATE meta SET value = value")
        with pytest.raises(LedgerError, match=f"the ledger {path} is locked by another process: try again"):
            SqliteLocation(path, busy_seconds=0).open()


def test_a_backup_that_another_process_reads_is_refused(path: Path) -> None:
    """A restored backup can be put into WAL mode only while no other process reads it."""
    SqliteLocation(path).create()
    query(path, "PRAGMA journal_mode = DELETE")
    with closing(sqlite3.connect(path, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM meta").fetchall()
        with pytest.raises(LedgerError, match="is locked by another process: try again"):
            SqliteLocation(path, busy_seconds=0).open()


def test_a_full_disk_stores_nothing_by_half(path: Path) -> None:
    """A plan that does not fit is not stored at all; when there is room again, it is."""
    SqliteLocation(path).create()
    session = SqliteLocation(path).open()
    connection = session.connection
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    releases = [update(f"4.5.{number}") for number in range(1, 60)]
    with Ledger(session, INSTANCE) as ledger:
        connection.execute(f"PRAGMA max_page_count = {pages + 1}")
        with pytest.raises(LedgerError, match="the disk is full; nothing is sent until there is room"):
            replan(ledger, facts(*releases, to=(ALICE, BOB)))
        assert states(ledger, *releases) == {}
        assert connection.execute("SELECT count(*) FROM message").fetchone()[0] == 0
        connection.execute(f"PRAGMA max_page_count = {pages * 100}")
        replan(ledger, facts(*releases, to=(ALICE, BOB)))
        assert len(states(ledger, *releases)) == 118


def test_a_disk_without_room_for_a_backup(ledger: Ledger, path: Path, tmp_path: Path) -> None:
    """No half a backup stays, and the ledger works on."""
    replan(ledger, facts(RELEASE))
    (tmp_path / "directory").mkdir()
    target = tmp_path / "directory" / "backup"
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    old = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, before[1]))
    try:
        with pytest.raises(LedgerError, match=f"the ledger {target} cannot be "):
            back_up(SqliteLocation(path), target)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, old)

    assert list(target.parent.iterdir()) == []
    assert states(ledger, RELEASE) == {("user:1", "update/4.5.1/plain"): DeliveryState.PENDING}
