"""Bounded reading of the administrator's own files: a device, a FIFO or an endless file delays nothing."""

import errno
import os
import stat
from pathlib import Path

VALUE_BYTES = 64 * 1024
"""Largest value, after expansion."""
FILE_BYTES = 256 * 1024
"""Largest file of settings; also the most that its values may expand to together."""

_FLAGS = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_NULL = os.makedev(1, 3)


def is_null(path: Path) -> bool:
    """Whether a path leads to the null device, which is an empty file."""
    try:
        status = path.stat()
    except (OSError, ValueError):
        return False
    return stat.S_ISCHR(status.st_mode) and status.st_rdev == _NULL


def read_regular(path: Path, limit_bytes: int) -> str:
    """Return the text of a regular file; bytes that are not UTF-8 become lone surrogates (see `is_utf8`).

    Raises:
        OSError: it is missing, cannot be read, or is not a regular file.
        ValueError: it is larger than `limit_bytes`.
    """
    if is_null(path):
        return ""
    _require_regular(path.stat())  # before opening: to open a device can already have effects
    descriptor = os.open(path, _FLAGS)
    with os.fdopen(descriptor, "rb") as file:
        _require_regular(os.fstat(descriptor))
        data = file.read(limit_bytes + 1)
    if len(data) > limit_bytes:
        raise ValueError(f"is larger than {limit_bytes} bytes")
    return data.decode(errors="surrogateescape")


def read_secret(path: Path) -> str:
    """Return the text of a file that holds one secret, without one trailing newline.

    Raises:
        OSError: as `read_regular`.
        ValueError: as `read_regular`, for more than `VALUE_BYTES`.
    """
    return read_regular(path, VALUE_BYTES).removesuffix("\n").removesuffix("\r")


def is_utf8(text: str) -> bool:
    """Whether `text` came from UTF-8: files and the environment leave lone surrogates where it did not."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def size_bytes(text: str) -> int:
    """Return the size of `text` as it was read."""
    return len(text.encode(errors="surrogatepass"))


def why(error: OSError | ValueError) -> str:
    """Return the reason that `error` gives, without the path."""
    if isinstance(error, OSError):
        return error.strerror or type(error).__name__
    return f"it {error}"


def _require_regular(status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise OSError(errno.EINVAL, "not a regular file")
