"""Child processes: each executes one job and ends; it dies with its parent, and is killed when it takes too long.

A child reads its parameters, a JSON object, from its standard input, which is a file in memory. It writes one JSON
object a line to its standard output: `{}` while it is well, and its report at the end.
"""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import timedelta
from queue import Empty, SimpleQueue
from typing import Any, NoReturn

from mastodon_update_check.logs import log

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
        descriptors: tuple[int, ...] = (),
    ) -> None:
        """Start a job that may be silent for a time, and inherits descriptors; another thread calls `on_end`.

        It must be started by the main thread: the kernel kills a child when the thread ends that started it.

        Raises:
            OSError, RuntimeError: there are too many processes or threads, or too little memory.
        """
        self.name = name
        self.report: Mapping[str, Any] | None = None
        self._silence = silence
        self._is_overdue = False
        self._heard_at = time.monotonic()
        with os.fdopen(os.memfd_create("order"), "w+") as orders:
            json.dump({**order, "parent": os.getpid()}, orders)
            orders.seek(0)
            self.process = subprocess.Popen(  # noqa: S603 - this very program
                [*_program(), "job", name],
                stdin=orders,
                stdout=subprocess.PIPE,
                pass_fds=descriptors,
                text=True,
                errors="replace",  # a library that prints must not end the reading
            )
        threading.Thread(target=self._follow, args=(on_end,), name=f"job {name}", daemon=True).start()

    def _follow(self, on_end: Callable[["ChildProcess"], None]) -> None:
        """Read its reports until it has ended."""
        out = self.process.stdout
        while out is not None and (line := out.readline(LINE_CHARACTERS)):
            self._heard_at = time.monotonic()
            try:
                said = json.loads(line)
            except ValueError:  # a library that prints
                continue
            if isinstance(said, dict) and said:
                self.report = said
        self.process.wait()
        on_end(self)

    @property
    def result(self) -> Mapping[str, Any] | None:
        """Return the report, once it has ended as it should."""
        return self.report if self.process.returncode == 0 else None

    def explain_end(self) -> str:
        """Return why it has no result."""
        report = self.report or {}
        if "settings_problems" in report:
            return "; ".join(report["settings_problems"])
        if "ledger_problem" in report:
            return str(report["ledger_problem"])
        if self._is_overdue:
            return f"it took longer than {self._silence.total_seconds() / 60:g} minutes, and was ended"
        code = self.process.returncode
        ending = f"by signal {-code}" if code < 0 else f"with exit code {code}"
        return f"the job {self.name} ended {ending} and without a result"

    def kill_if_silent(self) -> None:
        """Kill it if it has been silent for too long."""
        if time.monotonic() - self._heard_at > self._silence.total_seconds() and not self._is_overdue:
            self._is_overdue = True
            self.process.kill()


class Children:
    """The jobs that run at this moment, one of each kind at most; each posts itself to `events` when it has ended."""

    def __init__(self, events: "SimpleQueue[object]") -> None:
        self._events = events
        self._running: dict[str, ChildProcess] = {}

    def __len__(self) -> int:
        return len(self._running)

    def __contains__(self, name: str) -> bool:
        return name in self._running

    def start(self, name: str, silence: timedelta, order: Mapping[str, object], lock: int | None) -> None:
        """Start a job, which inherits the ledger's lock; raises what `ChildProcess` raises."""
        inherited = () if lock is None else (lock,)
        self._running[name] = ChildProcess(name, order, silence, self._events.put, inherited)

    def forget(self, child: ChildProcess) -> None:
        """Remove a job that has ended."""
        if self._running.get(child.name) is child:
            del self._running[child.name]

    def kill_silent(self) -> None:
        """Kill the jobs that have been silent for too long."""
        for child in self._running.values():
            child.kill_if_silent()

    def kill(self) -> None:
        """Kill every job."""
        for child in self._running.values():
            child.process.kill()

    def stop(self, patience: timedelta) -> None:
        """Let every job finish its attempts, and kill those that take too long."""
        for child in self._running.values():
            child.process.terminate()
        self.wait(patience)

    def wait(self, patience: timedelta) -> None:
        """Wait until every job has ended, and kill those that take too long."""
        end = time.monotonic() + patience.total_seconds()
        while self._running and time.monotonic() < end:
            with suppress(Empty):
                event = self._events.get(timeout=max(end - time.monotonic(), 0.01))
                if isinstance(event, ChildProcess):
                    self.forget(event)
        for child in self._running.values():
            log.warning("job.killed", job=child.name, detail="it did not end in time; its open attempts are repeated")
        self.kill()


def _program() -> list[str]:
    """Return what started this process, without its arguments: the interpreter, its options and the script."""
    given = len(sys.argv) - 1
    return [sys.executable, *sys.orig_argv[1 : len(sys.orig_argv) - given]]


def die_with_parent(parent: int) -> None:
    """Have the kernel kill this process when its parent ends (prctl(2), PR_SET_PDEATHSIG)."""
    import ctypes

    ctypes.CDLL(None, use_errno=True).prctl(1, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:  # it has ended already
        os._exit(1)


def leave(code: int) -> NoReturn:
    """End this process now: a thread that hangs would keep an ordinary exit waiting."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):  # its reader has closed it
            stream.flush()
    os._exit(code)
