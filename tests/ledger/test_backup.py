"""Backups, renaming a ledger out of the way, and side files of former ledgers."""

from contextlib import closing
from pathlib import Path

import pytest

from ledger.examples import INSTANCE, NOW, SECOND, facts, update
from ledger.locations import query
from ledger.programs import look_from_outside, write_and_die
from ledger.steps import record_heartbeat, replan, states
from mastodon_update_check.domain.outbox import DeliveryState
from mastodon_update_check.domain.server.state import ServerState
from mastodon_update_check.errors import LedgerError
from mastodon_update_check.ledger.copying import back_up
from mastodon_update_check.ledger.ledger import Ledger
from mastodon_update_check.ledger.sqlite import SqliteLocation

RELEASE = update("4.5.1")
PLANNED = {("user:1", "update/4.5.1/plain"): DeliveryState.PENDING}


@pytest.fixture
def place(path: Path) -> SqliteLocation:
    """Return where the ledgers of this file are: on SQLite alone."""
    return SqliteLocation(path)


@pytest.fixture
def target(tmp_path: Path) -> Path:
    """Return where the backup goes."""
    return tmp_path / "backup.sqlite3"


def test_a_backup_is_a_working_ledger(ledger: Ledger, path: Path, target: Path) -> None:
    """It is one private file with every commit, also while another process writes."""
    replan(ledger, facts(RELEASE))
    with ledger.writing() as transaction:
        transaction.keep_state(ServerState(failures=3), NOW)
        back_up(SqliteLocation(path), target)
    others = {entry.name for entry in path.parent.iterdir()} - {path.name, f"{path.name}-wal", f"{path.name}-shm"}

    assert others == {target.name}
    assert target.stat().st_mode & 0o777 == 0o600
    with Ledger.open(SqliteLocation(target), INSTANCE) as copy:
        assert states(copy, RELEASE) == PLANNED
        assert copy.state() == ServerState()
        assert ledger.fingerprint("text") == copy.fingerprint("text")


def test_a_backup_overwrites_nothing(ledger: Ledger, path: Path, target: Path) -> None:
    """An existing file stays as it is."""
    del ledger
    target.write_text("precious")
    with pytest.raises(LedgerError, match=f"{target} exists already: name a new file for the backup"):
        back_up(SqliteLocation(path), target)

    assert target.read_text() == "precious"


def test_a_backup_restored_over_a_side_file(path: Path, target: Path) -> None:
    """SQLite would play the old ledger's last commits into it: that is refused until the side files are gone."""
    SqliteLocation(path).create()
    back_up(SqliteLocation(path), target)
    write_and_die(path)
    path.write_bytes(target.read_bytes())
    side_files = [path.with_name(path.name + suffix) for suffix in ("-wal", "-shm")]
    before = [file.read_bytes() for file in (path, *side_files)]
    with pytest.raises(LedgerError) as caught:
        Ledger.open(SqliteLocation(path), INSTANCE)
    assert before == [file.read_bytes() for file in (path, *side_files)]
    assert f"a backup was put in the place of the ledger {path}, but ledger.sqlite3-wal still holds" in str(
        caught.value
    )
    assert "move ledger.sqlite3-wal and ledger.sqlite3-shm away" in str(caught.value)

    for file in side_files:
        file.unlink()
    with Ledger.open(SqliteLocation(path), INSTANCE) as restored:
        assert restored.nodes(NOW) == ()


def test_looking_at_the_file_takes_no_lock_away(ledger: Ledger, path: Path) -> None:
    """Closing any descriptor of a file drops this process's locks on it, and with them SQLite's hold on the side file.

    Another process would then clear the side file away under us.
    """
    record_heartbeat(ledger, "web1", NOW)
    SqliteLocation(path).open().close()
    before = len(list(Path("/proc/self/fd").iterdir()))
    SqliteLocation(path).open().close()

    assert before == len(list(Path("/proc/self/fd").iterdir()))
    assert look_from_outside(path) == 1
    assert path.with_name(f"{path.name}-wal").exists()


def test_a_ledger_is_set_aside_with_its_last_commits(path: Path) -> None:
    """They are in a side file if a process was killed; they go along."""
    write_and_die(path)
    aside = SqliteLocation(path).set_aside(NOW)
    assert path.with_name("ledger.sqlite3.20261123T120000Z.old") == aside
    assert not [entry for entry in path.parent.iterdir() if not entry.name.startswith(aside.name)]
    SqliteLocation(path).create()

    with Ledger.open(SqliteLocation(path), INSTANCE) as ledger:
        assert ledger.nodes(NOW) == ()
    with Ledger.open(SqliteLocation(aside), INSTANCE) as old:
        assert [node.host for node in old.nodes(NOW)] == ["committed"]


def test_a_side_file_alone_is_set_aside(path: Path) -> None:
    """It is the way out when the ledger itself was removed."""
    write_and_die(path)
    path.unlink()
    aside = SqliteLocation(path).set_aside(NOW)
    assert aside is not None
    with Ledger.create(SqliteLocation(path), INSTANCE) as ledger:
        assert ledger.nodes(NOW) == ()


def test_renamed_ledger_is_never_overwritten(path: Path) -> None:
    """Of two ledgers renamed in the same second, the second one stays in its place."""
    SqliteLocation(path).create()
    query(path, "PRAGMA user_version = 7")
    SqliteLocation(path).set_aside(NOW)
    SqliteLocation(path).create()
    with pytest.raises(LedgerError, match="exists already: move it away, or try again in a moment"):
        SqliteLocation(path).set_aside(NOW)

    assert path.exists()
    assert query(path.with_name(f"{path.name}.20261123T120000Z.old"), "PRAGMA user_version") == [(7,)]
    assert SqliteLocation(path).set_aside(NOW + SECOND) is not None


def test_open_ledger_that_is_renamed_is_refused(ledger: Ledger, path: Path) -> None:
    """A daemon must not use the old one while a check plans in the new one."""
    SqliteLocation(path).set_aside(NOW)
    SqliteLocation(path).create()
    with pytest.raises(LedgerError, match="was replaced while it was in use"):
        replan(ledger, facts(RELEASE))
    with closing(SqliteLocation(path).open()) as session:
        assert session.connection.execute("SELECT count(*) FROM message").fetchone()[0] == 0
