"""The administrator's files and our own: bounded reading, and replacement in one step."""

import errno
import os
import stat
from pathlib import Path
from tempfile import mkstemp

from mastodon_update_check.files.foreign import read_opened

_NULL = os.makedev(1, 3)


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
