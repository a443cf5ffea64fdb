"""Files that are replaced in one step: a reader sees the old content or the new content, never a part of it."""

import errno
import os
from pathlib import Path
from tempfile import mkstemp


def replace_file(path: Path, content: bytes, *, mode: int = 0o600, group: int = -1) -> None:
    """Write `content` to a draft beside `path`, then rename the draft to `path`.

    A link at `path` is replaced, not followed. The draft is opened once: the directory may belong to another user, who
    could exchange it for a link to a file of ours.

    Raises:
        OSError: the directory or the disk refuses it, or `path` is something else than a file, for example /dev/null.
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
