"""The lock of a ledger in SQLite: held until its process and the children have ended, and never by a file's content."""

import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mastodon_update_check.errors import LedgerError
from mastodon_update_check.ledger.file_lock import FileLock
from mastodon_update_check.ledger.sqlite import SqliteLocation

HOLDER = """
import subprocess, sys
from mastodon_update_check.ledger.file_lock import FileLock

lock = FileLock(sys.argv[1])
lock.acquire(is_daemon=True)
child = subprocess.Popen(["sleep", "60"], pass_fds=[lock.descriptor])
print(child.pid, flush=True)
sys.stdin.read()
"""


@pytest.fixture
def lock_path(tmp_path: Path) -> Path:
    """Return where the lock file is, in a directory that is missing at first."""
    return tmp_path / "state" / "ledger.sqlite3.lock"


@contextmanager
def holding(lock_path: Path) -> Iterator[tuple[int, int]]:
    """Let a process and its child hold the lock, return their ids, and kill the process at the end."""
    command = [sys.executable, "-c", HOLDER, str(lock_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        yield holder.pid, int(holder.stdout.readline())
        holder.kill()


def eventually(is_true: Callable[[], bool]) -> bool:
    """Whether something becomes true within a minute."""
    end = time.monotonic() + 60
    while not is_true():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def test_killed_owner_and_its_child_keep_the_lock_until_both_have_ended(lock_path: Path) -> None:
    """A new owner does not start while a child of the former one still sends; then it starts at once."""
    lock = FileLock(str(lock_path))
    with holding(lock_path) as (pid, child):
        owner = lock.owner()
        assert owner is not None
        assert (owner.pid, owner.is_daemon) == (pid, True)
        assert not lock.acquire(is_daemon=False)
    left = lock.owner()
    assert left is not None
    assert left.pid == 0
    assert not lock.acquire(is_daemon=False)
    os.kill(child, signal.SIGKILL)

    assert eventually(lambda: lock.acquire(is_daemon=False))
    lock.release()


def test_no_process_is_taken_for_the_owner_by_the_content_of_the_file(lock_path: Path) -> None:
    """Ids are used again, and a nudge would end the process that has this one now."""
    lock = FileLock(str(lock_path))
    with holding(lock_path) as (pid, child):
        lock_path.write_text(f"{os.getpid()} daemon\n")
        owner = lock.owner()
    os.kill(child, signal.SIGKILL)
    assert owner is not None
    assert (owner.pid, owner.is_daemon) == (pid, True)


def test_lock_is_released(lock_path: Path) -> None:
    """Then it has no owner, and another process takes it."""
    first, second = FileLock(str(lock_path)), FileLock(str(lock_path))
    assert first.owner() is None
    assert first.acquire(is_daemon=True)
    assert not second.acquire(is_daemon=False)
    assert first.renew()
    first.release()

    assert first.owner() is None
    assert not first.renew()
    assert second.acquire(is_daemon=False)
    second.release()


@pytest.mark.parametrize("is_replaced", [False, True])
def test_owner_notices_that_its_lock_file_was_deleted(lock_path: Path, *, is_replaced: bool) -> None:
    """Another process can lock a new file then, so the old lock is worth nothing."""
    lock, other = FileLock(str(lock_path)), FileLock(str(lock_path))
    assert lock.acquire(is_daemon=True)
    lock_path.unlink()
    if is_replaced:
        assert other.acquire(is_daemon=True)

    assert not lock.renew()
    lock.release()
    assert lock.acquire(is_daemon=True) is not is_replaced
    for each in (lock, other):
        each.release()


def test_renewal_in_a_place_that_cannot_be_seen_any_more(lock_path: Path) -> None:
    """That is an error of the ledger, not the end of the daemon: the lock itself holds."""
    lock = FileLock(str(lock_path))
    assert lock.acquire(is_daemon=True)
    lock_path.parent.rename(lock_path.parent.with_name("elsewhere"))
    lock_path.parent.touch()
    with pytest.raises(LedgerError, match="cannot be used: Not a directory"):
        lock.renew()
    lock.release()


def test_full_disk_does_not_prevent_the_lock(lock_path: Path) -> None:
    """Only the owner's name is missing in the file."""
    lock, other = FileLock(str(lock_path)), FileLock(str(lock_path))
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, limits[1]))
    try:
        assert lock.acquire(is_daemon=True)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)
    owner = other.owner()

    assert owner is not None
    assert owner.pid == 0
    assert not other.acquire(is_daemon=True)
    assert lock.renew()
    lock.release()


def test_each_renewal_is_a_heartbeat(lock_path: Path) -> None:
    """It is the time of the lock file."""
    lock = FileLock(str(lock_path))
    assert lock.acquire(is_daemon=True)
    os.utime(lock_path, (0, 0))
    before = lock.owner()
    assert lock.renew()
    after = lock.owner()
    lock.release()

    assert before is not None
    assert before.alive_at == datetime.fromtimestamp(0, UTC)
    assert after is not None
    assert abs(after.alive_at - datetime.now(UTC)) < timedelta(minutes=1)


def test_lock_file_that_cannot_be_used(tmp_path: Path) -> None:
    """A symbolic link is not followed, and a directory is not locked; the error names the file and a way out."""
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to("file")
    (tmp_path / "directory").mkdir()
    for name in ("file/lock", "link", "directory"):
        lock = FileLock(str(tmp_path / name))
        with pytest.raises(LedgerError, match=f"^the lock file {lock.path} cannot be used: .*; check its directory"):
            lock.acquire(is_daemon=True)


def test_a_link_to_a_ledger_has_the_same_lock(path: Path) -> None:
    """The processes that use it by either name exclude each other."""
    link = path.with_name("link")
    link.symlink_to(path)

    assert SqliteLocation(link).ownership().path == SqliteLocation(path).ownership().path
