"""Processes of the program, forked from a `fork_server`: they start ten times as fast, and are killed as others are."""

import atexit
import contextlib
import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Protocol, Self, TextIO

TESTS = Path(__file__).parent.parent
KILLED = -signal.SIGKILL


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A command to run."""

    arguments: tuple[str, ...]
    environment: Mapping[str, str]
    directory: Path
    out: Path
    err: Path


class Process(Protocol):
    """One run of the program."""

    @property
    def pid(self) -> int:
        """Its process id, which stays its own until it is waited for."""

    def wait(self) -> int:
        """Wait for the end; return the exit code, negative for a signal."""


class Starter(Protocol):
    """A way to start the program."""

    def start(self, order: Order) -> Process:
        """Start it."""


def is_over(process: Process, seconds: float | None) -> bool:
    """Wait for the end of a process for a while, or for as long as it takes; say whether it came."""
    descriptor = os.pidfd_open(process.pid)
    try:
        return bool(select.select([descriptor], [], [], seconds)[0])
    finally:
        os.close(descriptor)


def kill(process: Process) -> None:
    """Kill it as `kill -9` does; it may have ended already, and is not waited for."""
    os.kill(process.pid, signal.SIGKILL)


def kill_all(process: Process) -> None:
    """Kill it with its child processes, as systemd does with a unit: none of them goes on for a moment."""
    try:
        tasks = [*Path(f"/proc/{process.pid}/task").iterdir()]
        children = [int(word) for task in tasks for word in (task / "children").read_text().split()]
    except (FileNotFoundError, ProcessLookupError):
        children = []
    for pid in (process.pid, *children):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


class Forked:
    """Forks from a process that has everything imported."""

    def __enter__(self) -> Self:
        self._lock = Lock()
        self._server = subprocess.Popen(
            [sys.executable, "-m", "processes.fork_server"],
            env={**os.environ, "PYTHONPATH": str(TESTS)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        return self

    def __exit__(self, *_: object) -> None:
        assert self._server.stdin is not None
        assert self._server.stdout is not None
        self._server.stdin.close()
        self._server.wait()
        self._server.stdout.close()

    def start(self, order: Order) -> Process:
        pid = self.ask(
            arguments=order.arguments,
            environment=dict(order.environment),
            directory=str(order.directory),
            out=str(order.out),
            err=str(order.err),
        )
        return _Fork(pid, self)

    def run(self, arguments: tuple[str, ...], environment: Mapping[str, str], directory: Path) -> tuple[int, str, str]:
        """Run the program to its end; return exit code, output and errors."""
        with _in_memory("out") as out, _in_memory("err") as err:
            places = {"out": _path_of(out), "err": _path_of(err)}
            order = Order(arguments=arguments, environment=environment, directory=directory, **places)
            return self.start(order).wait(), out.read(), err.read()

    def ask(self, **order: object) -> int:
        """Give an order; return the answer."""
        assert self._server.stdin is not None
        assert self._server.stdout is not None
        with self._lock:
            self._server.stdin.write(f"{json.dumps(order)}\n")
            self._server.stdin.flush()
            return int(self._server.stdout.readline())


@dataclass(frozen=True, slots=True)
class _Fork:
    pid: int
    server: Forked

    def wait(self) -> int:
        is_over(self, None)  # the server takes no other order while it waits
        return self.server.ask(wait=self.pid)


@cache
def shared() -> Forked:
    """Return the server of all tests of this process; it ends with it."""
    server = Forked().__enter__()
    atexit.register(server.__exit__)
    return server


def _in_memory(name: str) -> TextIO:
    return open(os.memfd_create(name), encoding="utf-8")  # noqa: PTH123 - a descriptor, no path


def _path_of(file: TextIO) -> Path:
    return Path(f"/proc/{os.getpid()}/fd/{file.fileno()}")
