"""The ledger's file: made whole or not at all, and refused with a sentence when it is not what it should be."""

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from ledger.examples import INSTANCE, NOW, beat, facts, find_attempt, replan, rows, states, update
from ledger.locations import query
from ledger.programs import open_at_once, write_and_die
from mastodon_update_check.domain.outbox import DeliveryState
from mastodon_update_check.domain.server.state import ServerState
from mastodon_update_check.errors import LedgerError
from mastodon_update_check.ledger.ledger import Ledger
from mastodon_update_check.ledger.schema import MIGRATIONS, SCHEMA_VERSION, migrate
from mastodon_update_check.ledger.sqlite import SqliteLocation
from mastodon_update_check.ledger.sqlite_file import _ensure_wal, create_file, open_file
from mastodon_update_check.ledger.sqlite_problems import translated

PAGE = 4096
RELEASE = update("4.5.1")


@pytest.fixture
def place(path: Path) -> SqliteLocation:
    """Return where the ledgers of this file are: on SQLite alone."""
    return SqliteLocation(path)


def make_ledger(path: Path) -> bytes:
    """Make a ledger that has planned something, and return its bytes."""
    with Ledger.create(path, INSTANCE) as ledger:
        replan(ledger, facts(RELEASE))
        with ledger.writing() as transaction:
            transaction.keep_state(ServerState(), NOW)
    return path.read_bytes()


def opening_error(path: Path) -> str:
    """Return why the ledger cannot be opened; the file must still be there."""
    before = path.read_bytes()
    with pytest.raises(LedgerError) as caught:
        Ledger.open(path, INSTANCE)
    assert before == path.read_bytes()
    assert str(path) in str(caught.value)
    return str(caught.value)


def test_creation_leaves_one_private_file(path: Path) -> None:
    """Other users cannot read it, and no draft or side file stays."""
    create_file(path)

    assert list(path.parent.iterdir()) == [path]
    assert path.stat().st_mode & 0o777 == 0o600


def test_creation_makes_private_directories(tmp_path: Path) -> None:
    """The directory of a ledger in a home directory need not exist."""
    create_file(tmp_path / "state" / "ledger.sqlite3")

    assert (tmp_path / "state").stat().st_mode & 0o777 == 0o700


def test_creation_leaves_an_existing_ledger_alone(path: Path) -> None:
    """The second process creates nothing."""
    before = make_ledger(path)
    create_file(path)
    Ledger.create(path, INSTANCE).close()

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
    with Ledger.create(path, INSTANCE) as ledger:
        assert ledger.instances() == ()


def test_creation_where_only_the_side_file_is_left(path: Path) -> None:
    """The last commits of a ledger that is gone must not be played into a new one."""
    write_and_die(path)
    path.unlink()
    with pytest.raises(LedgerError, match=r"is gone, but its side file ledger\.sqlite3-wal is there.*`.* ledger new`"):
        Ledger.create(path, INSTANCE)

    assert not path.exists()


@pytest.mark.parametrize("opened", ["new", "again", "from a backup"])
def test_every_connection_is_durable(path: Path, opened: str) -> None:
    """Commits survive a power cut: WAL in the file, FULL on each connection."""
    make_ledger(path)
    if opened == "from a backup":
        query(path, "PRAGMA journal_mode = DELETE")
    first = open_file(path)
    with closing(first), closing(open_file(path, verify=False) if opened == "again" else first) as connection:
        pragmas = ("journal_mode", "synchronous", "foreign_keys", "trusted_schema", "user_version")
        found = [connection.execute(f"PRAGMA {name}").fetchone()[0] for name in pragmas]

    assert found == ["wal", 2, 1, 0, SCHEMA_VERSION]
    assert path.read_bytes()[18:20] == b"\x02\x02"


def test_a_place_without_shared_memory_is_refused() -> None:
    """A network file system cannot hold a ledger; SQLite says so only by keeping its old mode."""
    with closing(sqlite3.connect(":memory:")) as connection, pytest.raises(LedgerError, match="on a local disk"):
        _ensure_wal(connection, Path("/mnt/ledger"))


def cut(length: int) -> Callable[[bytes], bytes]:
    """Return what keeps the first bytes only."""
    return lambda whole: whole[:length]


def overwrite(offset: int, length: int) -> Callable[[bytes], bytes]:
    """Return what flips every bit of a stretch."""
    return lambda whole: (
        whole[:offset] + bytes(byte ^ 0xFF for byte in whole[offset : offset + length]) + whole[offset + length :]
    )


DAMAGES: list[tuple[str, Callable[[bytes], bytes], str]] = [
    ("an empty file", lambda _: b"", "is empty, so it has lost what was sent"),
    ("a text", lambda _: b"LOCAL_DOMAIN=social.example\n" * 40, "is damaged, or not a ledger"),
    ("zeros, as after a power cut", lambda whole: bytes(len(whole)), "is damaged, or not a ledger"),
    ("half a header", cut(50), "is damaged"),
    ("one page", cut(PAGE), "is damaged"),
    ("two pages", cut(2 * PAGE), "is damaged"),
    ("cut within a page", cut(5 * PAGE + 100), "is damaged"),
    ("all but the last page", cut(-PAGE), "is damaged"),
    ("a flipped magic", overwrite(0, 16), "is damaged, or not a ledger"),
]


@pytest.mark.parametrize(("sentence", "damage", "words"), DAMAGES, ids=[row[0] for row in DAMAGES])
def test_a_damaged_file_is_refused(path: Path, sentence: str, damage: Callable[[bytes], bytes], words: str) -> None:
    """The error names both ways out, and nothing is overwritten."""
    del sentence
    path.write_bytes(damage(make_ledger(path)))
    error = opening_error(path)

    assert f"the ledger {path} {words}" in error
    assert "restore a backup in its place, or start a new one with `mastodon-update-check ledger new`" in error


def test_a_page_with_flipped_bytes_is_refused(path: Path) -> None:
    """Each page in turn: tables and indexes are all read through."""
    whole = make_ledger(path)
    for start in range(PAGE, len(whole), PAGE):
        path.write_bytes(overwrite(start, 8)(whole))
        assert "is damaged; " in opening_error(path), f"page {start // PAGE + 1}"


def test_a_message_that_its_index_lacks_is_damage(path: Path) -> None:
    """It would never be sent, and nothing else would show it."""
    make_ledger(path)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        definition = "SELECT sql FROM sqlite_schema WHERE name = 'message_open'"
        (text,) = connection.execute(definition).fetchone()
        connection.execute("PRAGMA writable_schema = ON")
        wrong = text.replace("WHERE state IN ('pending', 'failed')", "WHERE state IN ('sent')")
        connection.execute("DROP INDEX message_open")
        connection.execute(wrong)
        connection.execute("UPDATE sqlite_schema SET sql = ? WHERE name = 'message_open'", (text,))

    assert "is damaged; " in opening_error(path)


Reading = Callable[[Ledger], object]
KNOW: Reading = lambda ledger: ledger.state()  # noqa: E731 - a name for a column of the table
PRINT: Reading = lambda ledger: ledger.fingerprint("text")  # noqa: E731
SLEEP: Reading = lambda ledger: ledger.next_due_at("email", NOW)  # noqa: E731
LIST: Reading = rows
CLAIM: Reading = find_attempt
UNREADABLE: list[tuple[str, str, Reading]] = [
    ("a notice that is not JSON", "UPDATE delivery SET notice = '{'", LIST),
    ("a notice of an unknown kind", 'UPDATE delivery SET notice = \'{"kind": "x"}\'', LIST),
    ("a notice to be sent", "UPDATE delivery SET notice = '[]'", CLAIM),
    ("a recipient that is a list", "UPDATE message SET recipient = '[]'", CLAIM),
    ("a recipient without a key", 'UPDATE message SET recipient = \'{"preference": "all"}\'', CLAIM),
    ("a date that is none", "UPDATE message SET created_at = 'yesterday'", CLAIM),
    ("a due time that is none", "UPDATE message SET due_at = '2026-10-99'", SLEEP),
    ("knowledge that is a list", "UPDATE instance SET knowledge = '[]'", KNOW),
    ("no salt", "DELETE FROM meta", PRINT),
]


@pytest.mark.parametrize(("sentence", "statement", "read"), UNREADABLE, ids=[row[0] for row in UNREADABLE])
def test_a_row_that_cannot_be_understood_is_damage(path: Path, sentence: str, statement: str, read: Reading) -> None:
    """SQLite keeps no checksums: a flipped bit in a text is found when the text is read."""
    del sentence
    make_ledger(path)
    with Ledger.open(path, INSTANCE) as ledger:
        query(path, statement)
        with pytest.raises(LedgerError) as caught:
            read(ledger)

    assert str(caught.value).startswith(f"the ledger {path} is damaged: a row in it cannot be read (")


def test_text_that_is_not_unicode_is_damage(path: Path) -> None:
    """The way out is named for errors that SQLite has no name for, too."""
    make_ledger(path)
    with Ledger.open(path, INSTANCE) as ledger:
        query(path, "UPDATE instance SET knowledge = CAST(x'7bff7d' AS TEXT)")
        with pytest.raises(LedgerError, match=r"cannot be used \(error: Could not decode.*restore a backup"):
            ledger.state()


def test_another_database_is_refused(path: Path) -> None:
    """A wrong path must not change another program's database."""
    query(path, "CREATE TABLE theirs (x)")

    assert opening_error(path) == f"{path} is not a ledger of this program; name another file in UPDATE_CHECK_LEDGER"


def test_a_file_of_one_byte_is_refused(path: Path) -> None:
    """SQLite would take it for an empty database."""
    path.write_bytes(b"S")

    assert opening_error(path) == f"{path} is not a ledger of this program; name another file in UPDATE_CHECK_LEDGER"


def test_a_missing_file_is_not_made_by_opening(path: Path) -> None:
    """A ledger that vanished is not replaced by one that has forgotten everything."""
    with pytest.raises(LedgerError, match="is not there; restore a backup in its place, or start a new one"):
        Ledger.open(path, INSTANCE)

    assert not path.exists()


def test_a_directory_in_its_place(path: Path) -> None:
    """A path that names a directory is a mistake in the settings."""
    path.mkdir()
    for directory in (path, Path("/")):
        with pytest.raises(LedgerError, match=f"the ledger {directory} is a directory: name a file"):
            Ledger.open(directory, INSTANCE)


def test_a_file_that_vanishes_in_use(ledger: Ledger, path: Path) -> None:
    """Nothing is written into a deleted file."""
    path.unlink()
    with pytest.raises(LedgerError, match="is not there"):
        beat(ledger, "web1", NOW)


def test_a_file_that_is_replaced_in_use(ledger: Ledger, path: Path, tmp_path: Path) -> None:
    """A backup moved into place is what counts from then on."""
    create_file(tmp_path / "restored")
    (tmp_path / "restored").rename(path)
    with pytest.raises(LedgerError, match="was replaced while it was in use"):
        beat(ledger, "web1", NOW)


def test_a_killed_process_loses_nothing_that_it_committed(path: Path) -> None:
    """The commits in its side file are taken over."""
    write_and_die(path)
    with Ledger.open(path, INSTANCE) as ledger:
        assert [node.host for node in ledger.nodes(NOW)] == ["committed"]


def test_a_migration_that_breaks_is_rolled_back_whole(path: Path) -> None:
    """Neither its first step nor the new version number stays."""
    make_ledger(path)
    with closing(open_file(path)) as connection:
        with pytest.raises(sqlite3.OperationalError):
            migrate(connection, (*MIGRATIONS, ("CREATE TABLE extra (x)", "DELETE FROM meta", "NOT SQL")))
        assert connection.execute("PRAGMA user_version").fetchone()[0] == SCHEMA_VERSION
        assert connection.execute("SELECT name FROM sqlite_schema WHERE name = 'extra'").fetchall() == []
    with Ledger.open(path, INSTANCE) as ledger:
        assert states(ledger, RELEASE) == {("user:1", "update/4.5.1/plain"): DeliveryState.PENDING}


NAMES: list[tuple[str, str]] = [
    ("SQLITE_FULL", "the disk is full; nothing is sent until there is room"),
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
