"""Processes of the program that can be killed: started anew, or forked from a `fork_server`."""

import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, Self

TESTS = Path(__file__).parent.parent
SITE = Path(__file__).parent / "site"
KILLED = -signal.SIGKILL


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What to run."""

    arguments: tuple[str, ...]
    environment: Mapping[str, str]
    directory: Path

    @property
    def out(self) -> Path:
        return self.directory / "out"

    @property
    def err(self) -> Path:
        return self.directory / "err"


class Process(Protocol):
    """One run of the program."""

    @property
    def pid(self) -> int:
        """Its process id, which is its own until somebody has waited for it."""

    def wait(self) -> int:
        """Wait for the end; return the exit code, negative for a signal."""


class Starter(Protocol):
    """A way to start the program."""

    def start(self, order: Order) -> Process:
        """Start it."""


def is_over(process: Process, seconds: float) -> bool:
    """Wait for the end of a process for a while; say whether it came."""
    descriptor = os.pidfd_open(process.pid)
    try:
        return bool(select.select([descriptor], [], [], seconds)[0])
    finally:
        os.close(descriptor)


def kill(process: Process) -> None:
    """Kill it as `kill -9` does; it may have ended by itself, but nobody has waited for it yet."""
    os.kill(process.pid, signal.SIGKILL)


class Anew:
    """Starts a new interpreter each time, as everywhere else."""

    def start(self, order: Order) -> Process:
        with order.out.open("wb") as out, order.err.open("wb") as err:
            return subprocess.Popen(
                [sys.executable, "-m", "mastodon_update_check", *order.arguments],
                env={**order.environment, "PYTHONPATH": str(SITE), "PYTHONDONTWRITEBYTECODE": "1"},
                cwd=order.directory,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
            )


class Forked:
    """Forks from a process that has everything imported."""

    def __enter__(self) -> Self:
        self._server = subprocess.Popen(
            [sys.executable, "-m", "crashes.fork_server"],
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

    def ask(self, **order: object) -> int:
        """Give an order; return the answer."""
        assert self._server.stdin is not None
        assert self._server.stdout is not None
        self._server.stdin.write(f"{json.dumps(order)}\n")
        self._server.stdin.flush()
        return int(self._server.stdout.readline())


@dataclass(frozen=True, slots=True)
class _Fork:
    pid: int
    server: Forked

    def wait(self) -> int:
        return self.server.ask(wait=self.pid)
