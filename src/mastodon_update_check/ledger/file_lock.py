"""A lock file beside the ledger: the kernel releases it when the last process that holds it has ended.

Child processes inherit the descriptor. A new owner therefore never starts while a child of the old one still sends.
The file's modification time is the owner's heartbeat. A second lock, of POSIX, belongs to the owner's process alone: by
it the kernel says which process that is, so no other one is signalled. Kept free of heavy imports: the resident process
uses it.
"""

import fcntl
import os
import socket
import struct
import time
from contextlib import AbstractContextManager, nullcontext, suppress
from datetime import UTC, datetime

from mastodon_update_check.errors import LedgerError
from mastodon_update_check.ledger.processes import Owner

_CONTENT_BYTES = 64
_FLOCK = "hhqqi4x"
_TRIES = 20
"""A reader holds a shared lock for a moment: an owner-to-be asks again, for a second in all."""
_PAUSE_SECONDS = 0.05


class FileLock:
    """Ownership of everything that the lock file stands for."""

    token = ""

    def __init__(self, path: str) -> None:
        self.path = path
        self.descriptor: int | None = None

    def acquire(self, *, is_daemon: bool) -> bool:
        """Take the lock; return False while another process holds it."""
        try:
            for _ in range(_TRIES):
                if self._try(is_daemon=is_daemon):
                    return True
                if self.owner() is not None:
                    return False
                time.sleep(_PAUSE_SECONDS)
        except OSError as error:
            raise _failed(self.path, error) from error
        return False

    def _try(self, *, is_daemon: bool) -> bool:
        os.makedirs(os.path.dirname(self.path), mode=0o700, exist_ok=True)  # noqa: PTH103, PTH120 - pathlib is not resident
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        if not _lock(descriptor, fcntl.LOCK_EX) or not _is_at(descriptor, self.path):
            os.close(descriptor)
            return False
        with suppress(OSError):  # a full disk: the lock holds, and the ledger says it
            os.ftruncate(descriptor, 0)
            os.write(descriptor, b"daemon\n" if is_daemon else b"command\n")
        with suppress(OSError):  # it is for `owner` alone
            fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        self.descriptor = descriptor
        return True

    def renew(self) -> bool:
        """Give a heartbeat; a held lock cannot be lost, but its file can be deleted with the ledger."""
        try:
            if self.descriptor is None or not _is_at(self.descriptor, self.path):
                return False
            os.utime(self.descriptor)
        except OSError as error:
            raise _failed(self.path, error) from error
        return True

    def renewed(self) -> AbstractContextManager[None]:
        """Return a context without effect: the kernel keeps the lock."""
        return nullcontext()

    def release(self) -> None:
        """Release the lock, unless a child process holds it, too."""
        if self.descriptor is not None:
            os.close(self.descriptor)
            self.descriptor = None

    def owner(self) -> Owner | None:
        """Return the process that holds the lock; None if no process does."""
        try:
            descriptor = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise _failed(self.path, error) from error
        try:
            if _lock(descriptor, fcntl.LOCK_SH):
                return None
            words = os.read(descriptor, _CONTENT_BYTES).decode(errors="replace").split()
            alive_at = datetime.fromtimestamp(os.fstat(descriptor).st_mtime, UTC)
            pid = _find_holder(descriptor)
        finally:
            os.close(descriptor)
        return Owner(host=socket.gethostname(), pid=pid, is_daemon=words[-1:] == ["daemon"], alive_at=alive_at)


def _lock(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _find_holder(descriptor: int) -> int:
    """Return the id of the process that holds the POSIX lock; 0 if none does, or none that is visible here."""
    asked = struct.pack(_FLOCK, fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
    kind, *_, pid = struct.unpack(_FLOCK, fcntl.fcntl(descriptor, fcntl.F_GETLK, asked))
    return 0 if kind == fcntl.F_UNLCK else max(pid, 0)


def _is_at(descriptor: int, path: str) -> bool:
    """Return whether the open file is still the one at `path`: another process may have deleted or replaced it."""
    try:
        there = os.stat(path)  # noqa: PTH116 - pathlib is not resident
    except FileNotFoundError:
        return False
    return os.path.samestat(os.fstat(descriptor), there)


def _failed(path: str, error: OSError) -> LedgerError:
    why = error.strerror or error
    return LedgerError(f"the lock file {path} cannot be used: {why}; check its directory and the permissions")
