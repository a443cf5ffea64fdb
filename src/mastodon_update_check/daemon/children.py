"""Child processes: each executes one job and ends; it dies with its parent, and is killed when it takes too long.

A child reads its parameters, a JSON object, from its standard input, which is a file in memory. It writes one JSON
object a line to its standard output: `{}` while it is well, and its report at the end: its result, or the `problems` of
the settings or the ledger (exit code 78 or 74).
"""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any, NoReturn

from mastodon_update_check.errors import LedgerError, SettingsError

LINE_CHARACTERS = 4 * 1024 * 1024
"""Longest line of a child that is kept in memory; a report has the text of our own file at most."""


class ChildProcess:
    """One job under way."""

    def __init__(
        self,
        name: str,
        order: Mapping[str, object],
        silence: timedelta,
        on_end: Callable[["ChildProcess"], None],
        lock: int | None = None,
    ) -> None:
        """Start a job that may be silent for a time, and inherits the ledger's lock; another thread calls `on_end`.

        It must be started by the main thread: the kernel kills a child when the thread ends that started it. Raises
        `OSError` or `RuntimeError` when there are too many processes or threads, or too little memory.
        """
        self.name = name
        self._report: Mapping[str, Any] = {}
        self._silence = silence
        self._heard_at = time.monotonic()
        with os.fdopen(os.memfd_create("order"), "w+") as orders:
            json.dump({**order, "parent": os.getpid()}, orders)
            orders.seek(0)
            self.process = subprocess.Popen(  # noqa: S603 - this very program
                [*_program(), "job", name],
                stdin=orders,
                stdout=subprocess.PIPE,
                pass_fds=() if lock is None else (lock,),
                text=True,
                errors="replace",  # a library that prints must not end the reading
            )
        threading.Thread(target=self._follow, args=(on_end,), name=f"job {name}", daemon=True).start()

    def _follow(self, on_end: Callable[["ChildProcess"], None]) -> None:
        out = self.process.stdout
        while out is not None and (line := out.readline(LINE_CHARACTERS)):
            self._heard_at = time.monotonic()
            with suppress(ValueError):  # a library that prints
                said = json.loads(line)
                self._report = said if isinstance(said, dict) and said else self._report
        self.process.wait()
        on_end(self)

    @property
    def result(self) -> Mapping[str, Any] | None:
        """Return its result, once it has ended as it should."""
        return self._report if self._report and self.process.returncode == 0 else None

    @property
    def error(self) -> SettingsError | LedgerError | None:
        """Return the error of the settings or the ledger that kept it from its job."""
        problems: Sequence[str] = self._report.get("problems", ())
        if not problems:
            return None
        match self.process.returncode:
            case SettingsError.exit_code:
                return SettingsError(problems)
            case LedgerError.exit_code:
                return LedgerError("; ".join(problems))
        return None

    def explain_end(self) -> str:
        """Return why it has no result."""
        if self.error is not None:
            return "; ".join(str(self.error).splitlines())
        if self.is_overdue:
            return f"it took longer than {self._silence.total_seconds() / 60:g} minutes, and was ended"
        code = self.process.returncode
        ending = f"by signal {-code}" if code < 0 else f"with exit code {code}"
        return f"the job {self.name} ended {ending} and without a result"

    @property
    def is_overdue(self) -> bool:
        """Return whether it has been silent for longer than it may."""
        return time.monotonic() - self._heard_at > self._silence.total_seconds()


def _program() -> list[str]:
    """Return what started this process, without its arguments: the interpreter, its options and the script."""
    given = len(sys.argv) - 1
    return [sys.executable, *sys.orig_argv[1 : len(sys.orig_argv) - given]]


def leave(code: int) -> NoReturn:
    """End this process now: a thread that hangs would keep an ordinary exit waiting."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):  # its reader has closed it
            stream.flush()
    os._exit(code)


def die_with_parent(parent: int) -> None:
    """Have the kernel kill this process when its parent ends (prctl(2), PR_SET_PDEATHSIG)."""
    import ctypes

    ctypes.CDLL(None, use_errno=True).prctl(1, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:  # it has ended already
        os._exit(1)
