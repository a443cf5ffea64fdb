"""Files: those of another user, the administrator's, and our own; bounded reading, and replacement in one step.

The owner of a file can make this program read only what is the owner's own, and cannot delay it.

Every step holds an open descriptor, so that nothing can be exchanged between a check and its use.

- On the way to a directory a symbolic link is followed only if root or the owner of its target created it: a tree may
  be moved and replaced by a link, but a link cannot lead to the files of a third user.
- Within the directory no link is followed at all.
- Only regular files are opened, never a device or a pipe. The size is bounded.
- A file that another process holds a lease on is not waited for longer than a second (fcntl(2), "Leases").
- A file with secrets must belong to its directory's owner. Root's files are accepted if they have one name only: a
  second one could be a hard link to any file of root's.
"""

import errno
import os
import stat
import time
from collections.abc import Container, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final, Self

from mastodon_update_check.domain.text import clean

_LINKS_FOLLOWED: Final = 40
"""As the kernel has it (path_resolution(7))."""
LEASE_SECONDS: Final = 1.0
"""How long a lease may take to be given up; the kernel itself would wait 45 s."""
_LEASE_POLL_SECONDS: Final = 0.05
_NULL: Final = os.makedev(1, 3)
_LOOK: Final = os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC


def is_missing(path: Path) -> bool:
    """Return whether nothing is at `path`; one that may not be examined is not missing (`Path.exists` raises then)."""
    try:
        path.stat()
    except OSError as error:
        return isinstance(error, FileNotFoundError | NotADirectoryError)
    return False


class ForeignDirectory:
    """An open directory; lasts as long as its context. Every failure is an OSError with a reason."""

    def __init__(self, path: Path, trusted_uid: int = 0) -> None:
        """Open the directory; the links and files of `trusted_uid` are accepted as the owner's are."""
        self._trusted = trusted_uid
        self._stack = ExitStack()
        self._descriptor = self._stack.enter_context(_opened(path, trusted_uid))
        status = os.fstat(self._descriptor)
        self.owner = status.st_uid
        self._is_writable_by_all = bool(status.st_mode & stat.S_IWOTH)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def status(self, name: str) -> os.stat_result:
        """Return the status of a path beneath, without following links."""
        with opened_beneath(self._descriptor, name) as descriptor:
            return os.fstat(descriptor)

    @contextmanager
    def opened_directory(self, name: str) -> Iterator[int]:
        """Open a directory beneath, without following links, and close it at the end."""
        with opened_beneath(self._descriptor, name) as descriptor:
            if not stat.S_ISDIR(os.fstat(descriptor).st_mode):
                raise NotADirectoryError(errno.ENOTDIR, "it is not a directory")
            yield descriptor

    def read_secrets(self, name: str, limit_bytes: int) -> str:
        """Return the text of a file that may hold secrets; bytes that are not UTF-8 become lone surrogates.

        Raises `OSError` and `ValueError` as `read_opened` does, and `OSError` if it does not belong to the directory's
        owner.
        """
        with opened_beneath(self._descriptor, name) as descriptor:
            self._require_own(os.fstat(descriptor))
            return read_opened(descriptor, limit_bytes).decode(errors="surrogateescape")

    def _require_own(self, status: os.stat_result) -> None:
        only_trusted_write = self.owner == self._trusted and not self._is_writable_by_all
        if status.st_uid == self.owner or only_trusted_write:
            return
        if status.st_uid != self._trusted:
            raise OSError(errno.EPERM, "it belongs neither to the directory's owner nor to root")
        if status.st_nlink != 1:
            raise OSError(errno.EPERM, "it is root's and has a second name (a hard link)")


def read_foreign(path: Path, limit_bytes: int, trusted_uid: int = 0) -> str:
    """Return the text of a file of another user; raises what `ForeignDirectory.read_secrets` raises."""
    with ForeignDirectory(path.parent.absolute(), trusted_uid) as directory:
        return directory.read_secrets(path.name, limit_bytes)


def follow_trusted(path: Path, trusted_uids: Container[int]) -> Path:
    """Return the file that a path leads to by symbolic links that only trusted users created."""
    for _ in range(_LINKS_FOLLOWED):
        if not path.is_symlink() or path.lstat().st_uid not in trusted_uids:
            break
        path = path.parent / path.readlink()
    return path


def describe(error: OSError | ValueError) -> str:
    """Return the reason of an error, without the path."""
    if isinstance(error, OSError):
        return clean((error.strerror or type(error).__name__).lower())
    return clean(f"it {error}")


@contextmanager
def opened_beneath(directory: int | Path, name: str) -> Iterator[int]:
    """Open a path beneath a directory for its status only, until the context ends; a link in it is an `OSError`.

    The directory, by its path or a descriptor, may be reached by links.
    """
    opened = os.dup(directory) if isinstance(directory, int) else os.open(directory, os.O_PATH | os.O_DIRECTORY)
    try:
        for part in Path(name).parts:
            following = os.open(part, _LOOK, dir_fd=opened)
            os.close(opened)
            opened = following
            if stat.S_ISLNK(os.fstat(opened).st_mode):
                raise OSError(errno.ELOOP, "it is a symbolic link")
        yield opened
    finally:
        os.close(opened)


def read_opened(descriptor: int, limit_bytes: int) -> bytes:
    """Return the content of the regular file that a descriptor of `opened_beneath` stands for.

    Raises `OSError` if it is another kind of file, or another process holds a lease on it, and `ValueError` if it is
    too large.
    """
    mode = os.fstat(descriptor).st_mode
    if stat.S_ISDIR(mode):
        raise OSError(errno.EISDIR, "it is a directory")
    if not stat.S_ISREG(mode):
        raise OSError(errno.EINVAL, "it is not a regular file")
    with os.fdopen(_reopen(descriptor), "rb", buffering=0) as file:
        data = bytearray()
        while len(data) <= limit_bytes and (piece := file.read(limit_bytes + 1 - len(data))):
            data += piece
    if len(data) > limit_bytes:
        raise ValueError(f"is larger than {limit_bytes} bytes")
    return bytes(data)


def is_null(path: Path) -> bool:
    """Return whether a path leads to the null device, which is an empty file."""
    try:
        status = path.stat()
    except (OSError, ValueError):
        return False
    return stat.S_ISCHR(status.st_mode) and status.st_rdev == _NULL


def read_own(path: Path, limit_bytes: int) -> str:
    """Return the text of a regular file, to which links may lead; bytes that are not UTF-8 become lone surrogates."""
    if is_null(path):
        return ""
    descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)  # to open a device for reading can already have effects
    try:
        return read_opened(descriptor, limit_bytes).decode(errors="surrogateescape")
    finally:
        os.close(descriptor)


def replace_file(path: Path, content: bytes, *, mode: int = 0o600, group: int = -1) -> None:
    """Write `content` to a draft beside `path`, then rename the draft to `path`: no reader ever sees a part of it.

    A link at `path` is replaced, not followed; anything else than a file is an `OSError`. The draft is opened once: the
    directory may belong to another user, who could exchange it for a link to a file of ours.
    """
    if path.exists() and not path.is_file():
        raise OSError(errno.EINVAL, "it is not a regular file")
    from tempfile import mkstemp

    descriptor, name = mkstemp(prefix=f".{path.name}.", dir=path.parent)
    draft = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            if group != -1:  # the unit's sandbox refuses the system call
                os.fchown(file.fileno(), -1, group)
            os.fchmod(file.fileno(), mode)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def _reopen(descriptor: int) -> int:
    """Return a descriptor to read the file that was examined, even if its name leads to another one by now."""
    deadline = time.monotonic() + LEASE_SECONDS
    while True:
        try:
            return os.open(f"/proc/self/fd/{descriptor}", os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except BlockingIOError:  # the attempt has asked the holder of the lease to give it up
            if time.monotonic() > deadline:
                raise OSError(errno.EWOULDBLOCK, "another process holds a lease on it") from None
            time.sleep(_LEASE_POLL_SECONDS)


@contextmanager
def _opened(path: Path, trusted_uid: int) -> Iterator[int]:
    """Open a directory, step by step from the root."""
    if not path.is_absolute():
        raise OSError(errno.EINVAL, "it is not an absolute path")
    todo, makers = [*reversed(path.parts)], []
    opened = os.open("/", _LOOK)
    try:
        while todo:
            following = os.open(todo.pop(), _LOOK, dir_fd=opened)
            status = os.fstat(following)
            if stat.S_ISLNK(status.st_mode):
                makers.append(status.st_uid)
                target = Path(os.readlink("", dir_fd=following))
                todo += reversed(target.parts)  # an absolute one begins with /, which leads back to the root
                os.close(following)
                if len(makers) > _LINKS_FOLLOWED:
                    raise OSError(errno.ELOOP, "it leads through too many symbolic links")
                continue
            os.close(opened)
            opened = following
            if not stat.S_ISDIR(status.st_mode):
                raise NotADirectoryError(errno.ENOTDIR, "it is not a directory")
        if any(maker not in {os.fstat(opened).st_uid, trusted_uid} for maker in makers):
            raise OSError(errno.ELOOP, "a symbolic link leads to a directory of another user")
        yield opened
    finally:
        os.close(opened)
