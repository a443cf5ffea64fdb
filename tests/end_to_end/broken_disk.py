"""Starts a program for which some system calls end in EIO, as on a disk that breaks: `broken_disk.py CALLS COMMAND …`.

The kernel itself refuses them, by a filter that needs no privileges (seccomp(2), SECCOMP_RET_ERRNO).
"""

import ctypes
import errno
import os
import platform
import struct
import sys
from pathlib import Path

NUMBERS = {
    "x86_64": {"pwrite64": 18, "fsync": 74, "fdatasync": 75},
    "aarch64": {"pwrite64": 68, "fsync": 82, "fdatasync": 83},
}
_PR_SET_SECCOMP, _PR_SET_NO_NEW_PRIVS, _MODE_FILTER = 22, 38, 2
_LOAD_NUMBER, _JUMP_IF_EQUAL, _RETURN = 0x20, 0x15, 0x06
_ALLOW, _FAIL = 0x7FFF0000, 0x00050000 | errno.EIO


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_char_p))


def through(*calls: str) -> tuple[str, ...]:
    """Return what a command is started through, so that these calls of it fail."""
    return sys.executable, str(Path(__file__)), ",".join(calls)


def _refuse(numbers: list[int]) -> None:
    """Let these system calls fail from now on, for this process and what it becomes."""
    code = [struct.pack("HBBI", _LOAD_NUMBER, 0, 0, 0)]
    for ahead, number in zip(range(len(numbers), 0, -1), numbers, strict=True):
        code.append(struct.pack("HBBI", _JUMP_IF_EQUAL, ahead, 0, number))
    code += [struct.pack("HBBI", _RETURN, 0, 0, verdict) for verdict in (_ALLOW, _FAIL)]
    program = _Program(len(code), b"".join(code))
    libc = ctypes.CDLL(None, use_errno=True)
    for option, *values in ((_PR_SET_NO_NEW_PRIVS, 1, 0), (_PR_SET_SECCOMP, _MODE_FILTER, ctypes.byref(program))):
        if libc.prctl(option, *values, 0, 0):
            raise OSError(ctypes.get_errno(), "prctl")


if __name__ == "__main__":
    os.environ.pop("COVERAGE_PROCESS_START", None)  # its figures could not be written either
    _refuse([NUMBERS[platform.machine()][call] for call in sys.argv[1].split(",")])
    os.execv(sys.argv[2], sys.argv[2:])  # noqa: S606 - the command that the test named
