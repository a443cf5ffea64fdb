"""A ledger that cannot be used: exit code 74, a clear sentence, nothing sent that could not be written down."""

import contextlib
import sqlite3
import sys
from collections.abc import Callable

import pytest

from end_to_end import broken_disk
from end_to_end.world import WITHOUT_PRIVILEGES, World


def with_room_for(size: int) -> tuple[str, ...]:
    """No file may grow beyond this size."""
    script = (
        "import os, resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]),) * 2);"
        "os.environ.pop('COVERAGE_PROCESS_START', None); os.execv(sys.argv[2], sys.argv[2:])"
    )
    return sys.executable, "-c", script, str(size)


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Return a ledger in which every recipient was notified of 4.5.20."""
    with World(tmp_path_factory.mktemp("good")) as world:
        world.only("email")
        world.update_server.publish("4.5.20")
        assert world.check().result == (0, 1, 1, 0, 0)
        return world.ledger.read_bytes()


@pytest.fixture
def ready(mail_world: World, good: bytes) -> World:
    """Return a server with that ledger, where 4.5.21 has come out meanwhile."""
    mail_world.ledger.write_bytes(good)
    mail_world.update_server.publish("4.5.20")
    mail_world.update_server.publish("4.5.21")
    return mail_world


def mark(world: World, statement: str) -> None:
    """Run a statement on the ledger."""
    with contextlib.closing(sqlite3.connect(world.ledger)) as connection:
        connection.execute(statement)


def scribble(world: World) -> None:
    """Overwrite a page in the middle."""
    content = bytearray(world.ledger.read_bytes())
    content[8192:12288] = b"\xff" * 4096
    world.ledger.write_bytes(content)


@pytest.mark.parametrize(
    ("harm", "sentence"),
    [
        (lambda world: world.ledger.write_bytes(b""), "is empty, so it has lost what was sent; restore a backup"),
        (scribble, "is damaged"),
        (lambda world: mark(world, "PRAGMA user_version = 999"), "was written by a newer version of this program"),
        (lambda world: mark(world, "PRAGMA application_id = 1"), "is not a ledger of this program"),
    ],
    ids=["empty", "damaged", "newer", "another program's"],
)
def test_unusable_ledger(ready: World, harm: Callable[[World], object], sentence: str) -> None:
    """Every command names the file and the problem; nothing is sent, asked or repaired."""
    harm(ready)
    for arguments in (["check"], ["check", "--dry-run"], ["ledger", "backup", "copy"]):
        finished = ready.run(*arguments)
        assert (finished.code, finished.out, finished.err.count("\n")) == (74, "", 1)
        assert finished.err.startswith("mastodon-update-check: ")
        assert f"{ready.ledger} {sentence}" in finished.err
    assert (ready.mails, (ready.directory / "copy").exists()) == ([], False)


def test_read_only_ledger(ready: World) -> None:
    """Nothing is sent without a record; commands that read work."""
    ready.ledger.chmod(0o400)
    finished = ready.run("check", through=WITHOUT_PRIVILEGES)
    assert (finished.code, ready.mails, "is read-only for this user" in finished.err) == (74, [], True)
    assert "4.5.20" in ready.run("status", through=WITHOUT_PRIVILEGES).out


def test_locked_ledger(ready: World) -> None:
    """A process that writes for too long is named as the cause."""
    with contextlib.closing(sqlite3.connect(ready.ledger, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        finished = ready.run("check")
        other.execute("ROLLBACK")
    assert (finished.code, ready.mails) == (74, [])
    assert "is locked by another process" in finished.err
    assert ready.check().result == (0, 1, 1, 0, 0)


@pytest.mark.parametrize("size", [0, 20_000])
def test_a_full_disk(ready: World, size: int) -> None:
    """Without space for the plan nothing is sent; with space again, everything is sent once."""
    finished = ready.run("check", through=with_room_for(size))
    assert (finished.code, finished.out, ready.mails) == (74, "", [])
    assert f"the ledger {ready.ledger} cannot be" in finished.err
    assert ready.check().result == (0, 1, 1, 0, 0)


@pytest.mark.parametrize("size", [60_000, 72_000])
def test_a_disk_that_fills_up_during_a_delivery(ready: World, size: int) -> None:
    """An acceptance that could not be recorded does not count as sent: the message is repeated with its id."""
    finished = ready.run("check", through=with_room_for(size))
    assert (finished.code, finished.out) == (74, "")
    ready.let_pass(seconds=10)
    assert ready.check().code == 0
    assert ready.check().result == (0, 0, 0, 0, 0)
    assert len({mail.message["Message-ID"] for mail in ready.mails}) == 1


@pytest.mark.parametrize("calls", [("fsync", "fdatasync"), ("pwrite64",)], ids=["sync", "write"])
def test_a_disk_that_breaks(ready: World, calls: tuple[str, ...]) -> None:
    """Without a working disk nothing is sent and the disk is named; on a good one everything is sent."""
    finished = ready.run("check", through=broken_disk.through(*calls))
    assert (finished.code, finished.out, ready.mails) == (74, "", [])
    assert "the disk reports an error" in finished.err
    assert ready.check().result == (0, 1, 1, 0, 0)


def test_backup(ready: World) -> None:
    """The copy is a whole ledger for this user's eyes only; a file that exists is never overwritten."""
    copy = ready.directory / "copy.sqlite3"
    finished = ready.run("ledger", "backup", str(copy))
    assert (finished.code, finished.out) == (0, f"The ledger is backed up to {copy}.\n")
    assert copy.stat().st_mode & 0o777 == 0o600
    content = copy.read_bytes()
    finished = ready.run("ledger", "backup", str(copy))
    assert (finished.code, f"{copy} exists already" in finished.err, copy.read_bytes()) == (74, True, content)
    ready.set(UPDATE_CHECK_LEDGER=str(copy))
    assert ready.check().result == (0, 1, 1, 0, 0)


def test_new_ledger(ready: World) -> None:
    """The old ledger is kept beside the new one, and pending notices are sent again."""
    old = ready.ledger.read_bytes()
    finished = ready.run("ledger", "new")
    assert finished.code == 0
    assert f"A new ledger is at {ready.ledger}." in finished.out
    (kept,) = [path for path in ready.ledger.parent.iterdir() if path.suffix == ".old"]
    assert (str(kept) in finished.out, kept.read_bytes()) == (True, old)
    assert ready.check().result == (0, 1, 1, 0, 0)
    assert "4.5.20 and 4.5.21" in ready.subjects[0] or "4.5.21 and 4.5.20" in ready.subjects[0]


def test_a_dry_run_changes_nothing(ready: World) -> None:
    """Not a byte of the ledger changes, nothing is sent, and the numbers are those of the real check after it."""
    before = ready.bytes_of_state()
    rehearsed = ready.run("check", "--dry-run", "--json")
    assert (rehearsed.result, ready.bytes_of_state(), ready.mails) == ((0, 1, 0, 0, 0), before, [])
    real = ready.check()
    assert rehearsed.json | {"sent": 1} == real.json


def test_a_dry_run_makes_no_ledger(world: World) -> None:
    """Without a ledger, a dry run creates none."""
    world.update_server.publish("4.5.20")
    world.ledger.parent.rmdir()
    finished = world.run("check", "--dry-run")
    assert (finished.code, world.notified, world.ledger.parent.exists()) == (0, (0, 0), False)
    assert "3 messages would be sent. Nothing was sent or stored." in finished.out
    assert "  email to ops@social.example: 4.5.20\n" in finished.out
