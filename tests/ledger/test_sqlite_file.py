"""The ledger's file: made whole or not at all, and refused with a sentence when it is not what it should be."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from ledger.examples import INSTANCE, NOW, update
from ledger.files import make_ledger, opening_error
from ledger.locations import query
from ledger.programs import open_at_once, write_and_die
from ledger.steps import record_heartbeat
from mastodon_update_check.errors import LedgerError
from mastodon_update_check.ledger import sqlite
from mastodon_update_check.ledger.ledger import Ledger
from mastodon_update_check.ledger.schema import SCHEMA_VERSION
from mastodon_update_check.ledger.sqlite import SqliteLocation
from mastodon_update_check.ledger.sqlite_session import translated

PAGE = 4096
RELEASE = update("4.5.1")


@pytest.fixture
def place(path: Path) -> SqliteLocation:
    """Return where the ledgers of this file are: on SQLite alone."""
    return SqliteLocation(path)


def test_creation_leaves_one_private_file(tmp_path: Path) -> None:
    """Other users cannot read it, and no draft or side file stays; its directory need not exist."""
    path = tmp_path / "state" / "ledger.sqlite3"
    SqliteLocation(path).create()

    assert list(path.parent.iterdir()) == [path]
    assert [each.stat().st_mode & 0o777 for each in (path, path.parent)] == [0o600, 0o700]


def test_creation_leaves_an_existing_ledger_alone(path: Path) -> None:
    """The second process creates nothing."""
    before = make_ledger(path)
    SqliteLocation(path).create()
    Ledger.create(SqliteLocation(path), INSTANCE).close()

    assert before == path.read_bytes()


def test_creation_by_several_processes_at_once(path: Path) -> None:
    """All of them end up with the same ledger: its salt is the same for each."""
    prints = open_at_once(path)

    assert len(set(prints)) == 1
    assert prints[0][16:] == "\n"
    assert [entry.name for entry in path.parent.iterdir()] == ["ledger.sqlite3"]


def test_creation_after_one_that_was_cut_off(path: Path) -> None:
    """The draft of a process that died does not matter, even with the same process id."""
    for number in (1, os.getpid()):
        path.with_name(f"{path.name}.{number}.new").touch()
    with Ledger.create(SqliteLocation(path), INSTANCE) as ledger:
        assert ledger.instances() == ()


def test_creation_where_only_the_side_file_is_left(path: Path) -> None:
    """The last commits of a ledger that is gone must not be played into a new one."""
    write_and_die(path)
    path.unlink()
    with pytest.raises(LedgerError, match=r"is gone, but its side file ledger\.sqlite3-wal is there.*`.* ledger new`"):
        Ledger.create(SqliteLocation(path), INSTANCE)

    assert not path.exists()


@pytest.mark.parametrize("opened", ["new", "again", "from a backup"])
def test_every_connection_is_durable(path: Path, opened: str) -> None:
    """Commits survive a power cut: WAL in the file, FULL on each connection."""
    make_ledger(path)
    if opened == "from a backup":
        query(path, "PRAGMA journal_mode = DELETE")
    first = SqliteLocation(path).open()
    with closing(first), closing(SqliteLocation(path).open(verify=False) if opened == "again" else first) as session:
        pragmas = ("journal_mode", "synchronous", "foreign_keys", "trusted_schema", "user_version")
        found = [session.connection.execute(f"PRAGMA {name}").fetchone()[0] for name in pragmas]

    assert found == ["wal", 2, 1, 0, SCHEMA_VERSION]
    assert path.read_bytes()[18:20] == b"\x02\x02"


def test_a_place_without_shared_memory_is_refused() -> None:
    """A network file system cannot hold a ledger; SQLite says so only by keeping its old mode."""
    with closing(sqlite3.connect(":memory:")) as connection, pytest.raises(LedgerError, match="on a local disk"):
        sqlite._ensure_wal(connection, Path("/mnt/ledger"))


def test_other_files_are_refused(path: Path) -> None:
    """A wrong path must not change another program's database; SQLite takes a file of one byte for an empty one."""
    expected = f"{path} is not a ledger of this program; name another file in UPDATE_CHECK_LEDGER"
    query(path, "CREATE TABLE theirs (x)")
    assert opening_error(path) == expected
    path.write_bytes(b"S")
    assert opening_error(path) == expected


def test_a_missing_file_is_not_made_by_opening(path: Path) -> None:
    """A ledger that vanished is not replaced by one that has forgotten everything."""
    with pytest.raises(LedgerError, match="is not there; restore a backup in its place, or start a new one"):
        Ledger.open(SqliteLocation(path), INSTANCE)

    assert not path.exists()


def test_a_file_that_vanishes_in_use(ledger: Ledger, path: Path) -> None:
    """Nothing is written into a deleted file."""
    path.unlink()
    with pytest.raises(LedgerError, match="is not there"):
        record_heartbeat(ledger, "web1", NOW)


def test_a_file_that_is_replaced_in_use(ledger: Ledger, path: Path, tmp_path: Path) -> None:
    """A backup moved into place is what counts from then on."""
    SqliteLocation(tmp_path / "restored").create()
    (tmp_path / "restored").rename(path)
    with pytest.raises(LedgerError, match="was replaced while it was in use"):
        record_heartbeat(ledger, "web1", NOW)


def test_a_killed_process_loses_nothing_that_it_committed(path: Path) -> None:
    """The commits in its side file are taken over."""
    write_and_die(path)
    with Ledger.open(SqliteLocation(path), INSTANCE) as ledger:
        assert [node.host for node in ledger.nodes(NOW)] == ["committed"]


def test_a_migration_that_breaks_is_rolled_back_whole(path: Path) -> None:
    """Neither its first step nor the new version number stays."""
    make_ledger(path)
    query(path, "DROP TABLE node")  # which step 2 makes; a column that step 3 drops is not there
    query(path, "PRAGMA user_version = 1")
    with pytest.raises(LedgerError, match="no such column"):
        SqliteLocation(path).open()
    assert query(path, "PRAGMA user_version") == [(1,)]
    assert query(path, "SELECT name FROM sqlite_schema WHERE name = 'node'") == []


NAMES: list[tuple[str, str]] = [
    ("SQLITE_FULL", "the disk is full; nothing is sent until there is room"),
    ("SQLITE_IOERR_SHMSIZE", "the disk is full, or the disk reports an error (see the system's log)"),
    ("SQLITE_READONLY_DBMOVED", "is read-only for this user: see the permissions"),
    ("SQLITE_PERM", "permission denied; look at its permissions"),
    ("SQLITE_CANTOPEN_ISDIR", "cannot be opened: look at its permissions and its directory's"),
    ("SQLITE_BUSY_SNAPSHOT", "is locked by another process: try again, or end what holds it"),
    ("SQLITE_LOCKED", "is locked by another process: try again, or end what holds it"),
    ("SQLITE_IOERR_FSYNC", "the disk reports an error; look at the system's log"),
    ("SQLITE_CORRUPT_INDEX", "is damaged; restore a backup in its place, or start a new one with"),
    ("SQLITE_NOTADB", "not a ledger; restore a backup in its place, or start a new one with"),
    ("SQLITE_NOMEM", "cannot be used (SQLITE_NOMEM: x); restore a backup"),
]


@pytest.mark.parametrize(("name", "words"), NAMES, ids=[row[0] for row in NAMES])
def test_every_error_of_sqlite_names_a_way_out(name: str, words: str) -> None:
    """The finer names, of which there are many, count as the one that they begin with."""
    error = sqlite3.OperationalError("x")
    error.sqlite_errorname = name
    with pytest.raises(LedgerError) as caught, translated(Path("/var/lib/ledger")):
        raise error

    assert "the ledger /var/lib/ledger " in str(caught.value)
    assert words in str(caught.value)
