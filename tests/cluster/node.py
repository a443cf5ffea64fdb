"""One machine of a cluster: its daemon, its state directory, and its way to the database."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from simulators.tcp_proxy import TcpProxy

HOST_SCRIPT = str(Path(__file__).with_name("host.py"))
LONGEST = 240.0


class Node:
    """Lasts as long as its context; the daemon is started and ended by its methods."""

    def __init__(self, host: str, home: Path, environment: Mapping[str, str], database_port: int) -> None:
        """`environment` has the settings; `{port}` in them is the port at which this node reaches the database."""
        self.host = host
        self.network = TcpProxy(database_port)
        self._home = home
        self._environment = environment
        self._process: subprocess.Popen[bytes] | None = None
        self._starts = 0

    def __enter__(self) -> Self:
        self._home.mkdir()
        self.network.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self.kill()
        self.network.__exit__()
        assert "Traceback" not in self.log, self.log

    @property
    def environment(self) -> dict[str, str]:
        """The variables of every command on this machine."""
        variables = {name: value.replace("{port}", str(self.network.port)) for name, value in self._environment.items()}
        return variables | {"PATH": os.environ["PATH"], "HOME": str(self._home), "STATE_DIRECTORY": str(self._home)}

    def command(self, *arguments: str) -> tuple[str, ...]:
        """Return how the program is started on this machine."""
        return sys.executable, HOST_SCRIPT, self.host, *arguments

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command."""
        return subprocess.run(
            self.command(*arguments),
            env=self.environment,
            check=False,
            capture_output=True,
            text=True,
            timeout=LONGEST,
        )

    def launch(self) -> None:
        """Start the daemon."""
        self._starts = len(self.events("daemon.started"))
        with self._log_path.open("ab") as log:
            self._process = subprocess.Popen(
                self.command("run"), env=self.environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )

    def start(self) -> None:
        """Start the daemon unless it runs, and wait for it; like systemd, start it again after a temporary failure."""
        end = time.monotonic() + LONGEST
        while self._process is None or self._process.poll() is not None or not self.has_started:
            assert time.monotonic() < end, f"the daemon does not start on {self.host}:\n{self.log[-3000:]}"
            if self._process is None or self._process.poll() is not None:
                self.launch()
            time.sleep(0.1)

    @property
    def has_started(self) -> bool:
        """Whether the daemon has started since it was launched."""
        return len(self.events("daemon.started")) > self._starts

    @property
    def process(self) -> subprocess.Popen[bytes]:
        """The daemon."""
        assert self._process is not None
        return self._process

    def pids(self) -> list[int]:
        """Return the daemon's processes, the supervisor first."""
        pid = self.process.pid
        children = []
        for task in Path(f"/proc/{pid}/task").iterdir():
            with contextlib.suppress(OSError):  # a thread that has just ended
                children += [int(word) for word in (task / "children").read_text().split()]
        return [pid, *children]

    def freeze(self) -> None:
        """Let the machine stand still, at one instant; return once it does."""
        os.kill(self.process.pid, signal.SIGSTOP)
        _wait_stopped(self.process.pid)  # from here on it starts no other child
        for pid in self.pids()[1:]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGSTOP)
                _wait_stopped(pid)

    def thaw(self) -> None:
        """Let it continue."""
        for pid in reversed(self.pids()):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)

    def kill(self) -> None:
        """Lose the machine, at one instant."""
        if self.process.poll() is None:
            self.freeze()
            for pid in self.pids():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            self.process.wait()

    def kill_supervisor(self) -> None:
        """Kill the supervisor alone; its children must end with it."""
        children = self.pids()[1:]
        self.process.kill()
        self.process.wait()
        for pid in children:
            _wait_ended(pid)

    def stop(self) -> None:
        """Stop the daemon as systemd does."""
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(LONGEST) == 0, self.log

    @property
    def log(self) -> str:
        """The daemon's log."""
        return self._log_path.read_text() if self._log_path.exists() else ""

    def events(self, name: str) -> list[dict[str, Any]]:
        """Return the lines of one event in the daemon's log."""
        whole, _, _ = self.log.rpartition("\n")  # the last line may be incomplete
        lines = [line for line in whole.splitlines() if line.startswith("{")]  # an error at the start is plain text
        return [event for event in map(json.loads, lines) if event["event"] == name]

    def wait_for(self, name: str, count: int) -> None:
        """Wait until an event was logged `count` times."""
        end = time.monotonic() + LONGEST
        while len(self.events(name)) < count:
            assert time.monotonic() < end, f"{name}, {count} times, in the log of {self.host}:\n{self.log[-3000:]}"
            time.sleep(0.1)

    @property
    def _log_path(self) -> Path:
        return self._home / "log"


def _state(pid: int) -> str:
    """Return the state of a process as ps shows it; empty when there is none."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return ""


def _wait_stopped(pid: int) -> None:
    end = time.monotonic() + LONGEST
    while _state(pid) not in {"T", "Z", ""}:
        assert time.monotonic() < end, "a process does not stop"
        time.sleep(0.001)


def _wait_ended(pid: int) -> None:
    end = time.monotonic() + LONGEST
    while _state(pid) not in {"Z", ""}:
        assert time.monotonic() < end, "a child process outlives its supervisor"
        time.sleep(0.01)
