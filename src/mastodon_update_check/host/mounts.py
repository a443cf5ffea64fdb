"""A view of the file system like a unit's: a mount namespace of this process's own, which ends with it.

Nothing outside changes: not even a directory is made, but in what is empty and ours.
"""

import ctypes
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from mastodon_update_check.host.unit_view import Bind

_CLONE_NEWNS: Final = 0x00020000
_MS_RDONLY: Final = 0x1
_MS_NOSUID: Final = 0x2
_MS_NODEV: Final = 0x4
_MS_REMOUNT: Final = 0x20
_MS_BIND: Final = 0x1000
_MS_REC: Final = 0x4000
_MS_SLAVE: Final = 0x80000


def enter_view(hidden: Iterable[Path], binds: Iterable[Bind]) -> None:
    """Hide and bind directories, for this process and those it starts.

    Raises:
        OSError: this process may not do that, as in most containers.
    """
    hidden = sorted(path for path in hidden if path.is_dir())
    _unshare()
    _mount("none", "/", "none", _MS_REC | _MS_SLAVE)
    # Before anything is hidden: what is bound may lie there.
    opened = [(source, bind) for bind in binds if (source := _open(bind)) is not None]
    for path in hidden:
        mount_empty(path)
    for source, bind in opened:
        _bind(source, bind, hidden)
        os.close(source)


def leave_view() -> None:
    """See the files as the host does: what a unit runs as root (`ExecStartPre=+`) still has what the unit hides hidden.

    Raises:
        OSError: this process may not do that.
    """
    own, first = (Path(f"/proc/{process}/ns/mnt") for process in ("self", "1"))
    if own.readlink() == first.readlink():
        return
    descriptor = os.open(first, os.O_RDONLY | os.O_CLOEXEC)
    try:
        if ctypes.CDLL(None, use_errno=True).setns(descriptor, _CLONE_NEWNS) != 0:
            _fail("setns")
    finally:
        os.close(descriptor)


def mount_empty(path: Path) -> None:
    """Lay an empty directory in memory over `path`."""
    _mount("tmpfs", str(path), "tmpfs", _MS_NOSUID | _MS_NODEV, "mode=0755,size=4m")


def _bind(source: int, bind: Bind, hidden: Sequence[Path]) -> None:
    """Bind a directory; outside of what is hidden only to a place that there is."""
    if any(bind.target.is_relative_to(directory) for directory in hidden):
        bind.target.mkdir(parents=True, exist_ok=True)
    elif not bind.target.is_dir():
        return
    target = str(bind.target)
    _mount(f"/proc/self/fd/{source}", target, "none", _MS_BIND | _MS_REC)
    if not bind.is_writable:
        _mount("none", target, "none", _MS_BIND | _MS_REMOUNT | _MS_RDONLY | _MS_NOSUID | _MS_NODEV)


def _open(bind: Bind) -> int | None:
    try:
        return os.open(bind.source, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError:  # the unit would not see it either, or not start, which systemd says
        return None


def _unshare() -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(_CLONE_NEWNS) != 0:
        _fail("unshare")


def _mount(source: str, target: str, kind: str, flags: int, options: str = "") -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    words = (os.fsencode(word) for word in (source, target, kind))
    if libc.mount(*words, ctypes.c_ulong(flags), os.fsencode(options)) != 0:
        _fail(f"mount on {target}")


def _fail(what: str) -> None:
    number = ctypes.get_errno()
    raise OSError(number, f"{what}: {os.strerror(number)}")
