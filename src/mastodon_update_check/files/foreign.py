"""A directory that belongs to somebody else, read by root: its owner can make root read nothing but what is theirs.

Every step is taken with a descriptor in hand, so that nothing can be exchanged between a check and its use.

- On the way to the directory a symbolic link is followed only if root made it, or the one who owns where it leads: a
  tree may be moved and replaced by a link, but nobody can point into what belongs to others.
- Within the directory no link is followed at all.
- Only regular files are opened, not even a device or a pipe for a look; so much is read and no more.
- A file with secrets must be its directory's owner's. Root's will do if it has no second name: that could be a hard
  link to something else of root's.
"""

import errno
import os
import stat
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from mastodon_update_check.domain.text import clean

LINKS_FOLLOWED: Final = 40
"""As the kernel has it (path_resolution(7))."""
_LOOK: Final = os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC


def is_missing(path: Path) -> bool:
    """Whether there is nothing at `path`; what may not be looked at is there, or may be (`Path.exists` raises then)."""
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False
    return False


class ForeignDirectory:
    """An open directory; lasts as long as its context. What goes wrong is an OSError with a reason."""

    def __init__(self, path: Path, trusted_uid: int = 0) -> None:
        """Open the directory; `trusted_uid` is whose links and files are above suspicion."""
        self.path = path
        self._trusted = trusted_uid
        self._descriptor = _walk(path, trusted_uid)
        self.owner = os.fstat(self._descriptor).st_uid

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._descriptor)

    def status(self, name: str) -> os.stat_result:
        """Return what a path beneath leads to without a link."""
        descriptor = open_beneath(self._descriptor, Path(name).parts)
        try:
            return os.fstat(descriptor)
        finally:
            os.close(descriptor)

    def read_secrets(self, name: str, limit_bytes: int) -> str:
        """Return the text of a file that may hold secrets; bytes that are not UTF-8 become lone surrogates.

        Raises:
            OSError: it is missing, no regular file, or not its directory's owner's.
            ValueError: it is larger than `limit_bytes`.
        """
        descriptor = open_beneath(self._descriptor, Path(name).parts)
        try:
            self._require_own(os.fstat(descriptor))
            data = read_opened(descriptor, limit_bytes)
        finally:
            os.close(descriptor)
        return data.decode(errors="surrogateescape")

    def _require_own(self, status: os.stat_result) -> None:
        if status.st_uid == self.owner:
            return
        if status.st_uid != self._trusted:
            raise _refusal(errno.EPERM, "it belongs neither to the directory's owner nor to root")
        if status.st_nlink != 1:
            raise _refusal(errno.EPERM, "it is root's and has a second name (a hard link)")


def describe(error: OSError | ValueError) -> str:
    """Return what went wrong, without the path."""
    if isinstance(error, OSError):
        return clean((error.strerror or type(error).__name__).lower())
    return clean(f"it {error}")


def open_beneath(directory: int, parts: Iterable[str]) -> int:
    """Return a descriptor of what lies beneath a directory, for a look only, without following links.

    Raises:
        OSError: it is missing, or a link is on the way.
    """
    opened = os.dup(directory)
    for part in parts:
        try:
            following = os.open(part, _LOOK, dir_fd=opened)
        finally:
            os.close(opened)
        opened = following
        if stat.S_ISLNK(os.fstat(opened).st_mode):
            os.close(opened)
            raise _refusal(errno.ELOOP, "it is a symbolic link")
    return opened


def read_opened(descriptor: int, limit_bytes: int) -> bytes:
    """Return the content of the regular file that a descriptor of `open_beneath` stands for.

    Raises:
        OSError: it is no regular file, or cannot be read.
        ValueError: it is larger than `limit_bytes`.
    """
    mode = os.fstat(descriptor).st_mode
    if stat.S_ISDIR(mode):
        raise _refusal(errno.EISDIR, "it is a directory")
    if not stat.S_ISREG(mode):
        raise _refusal(errno.EINVAL, "it is not a regular file")
    # What was looked at is opened, whatever has its name by now.
    with Path(f"/proc/self/fd/{descriptor}").open("rb", buffering=0) as file:
        data = bytearray()
        while len(data) <= limit_bytes and (piece := file.read(limit_bytes + 1 - len(data))):
            data += piece
    if len(data) > limit_bytes:
        raise ValueError(f"is larger than {limit_bytes} bytes")
    return bytes(data)


def _walk(path: Path, trusted_uid: int) -> int:
    """Open a directory, step by step from the root."""
    if not path.is_absolute():
        raise _refusal(errno.EINVAL, "it is not an absolute path")
    todo, links = _steps(path), []
    opened = os.open("/", _LOOK)
    try:
        while todo:
            following = os.open(todo.pop(), _LOOK, dir_fd=opened)
            status = os.fstat(following)
            if stat.S_ISLNK(status.st_mode):
                links.append(status.st_uid)
                target = Path(os.readlink("", dir_fd=following))
                os.close(following)
                todo += _steps(target)
                following = os.open("/", _LOOK) if target.is_absolute() else os.dup(opened)
            os.close(opened)
            opened = following
            _require_passable(os.fstat(opened), len(links))
        _require_vouched(links, os.fstat(opened).st_uid, trusted_uid)
    except BaseException:
        os.close(opened)
        raise
    return opened


def _steps(path: Path) -> list[str]:
    """Return the names on the way, the first one last."""
    return [part for part in reversed(path.parts) if part != "/"]


def _require_passable(status: os.stat_result, links: int) -> None:
    if not stat.S_ISDIR(status.st_mode):
        raise NotADirectoryError(errno.ENOTDIR, "it is not a directory")
    if links > LINKS_FOLLOWED:
        raise _refusal(errno.ELOOP, "it leads through too many symbolic links")


def _require_vouched(links: Iterable[int], owner: int, trusted_uid: int) -> None:
    if any(maker not in {owner, trusted_uid} for maker in links):
        raise _refusal(errno.ELOOP, "it leads by a symbolic link to what does not belong to the link's owner")


def _refusal(number: int, reason: str) -> OSError:
    return OSError(number, reason)
