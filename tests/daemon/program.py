"""The daemon as a process, on a machine of its own: settings, ledger, packages with sinks, and systemd's side.

::

    machine.configure(UPDATE_CHECK_URL=update_server.url)
    with machine.start() as daemon:
        daemon.wait_notified("READY=1")
        daemon.wait_for("check.finished")
        assert daemon.end(signal.SIGTERM) == 0

The process gets the variables named here and no others; every process is ended, by its id, with its context.
"""

import contextlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Self

from simulators.systemd import Systemd

PROGRAM = (sys.executable, "-m", "mastodon_update_check")
LONGEST = 90.0
"""How many seconds to wait for something that takes far less."""
STOP_SECONDS = 10.0
"""The daemon's promise: it stops within this time, with any attempt in progress."""


def wait_until(is_true: Callable[[], object], what: str, explain: Callable[[], object] = str) -> None:
    """Wait for a condition; on a timeout, explain the state instead."""
    end = time.monotonic() + LONGEST
    while not is_true():
        assert time.monotonic() < end, f"timeout: {what}\n{explain()}"
        time.sleep(0.02)


class Daemon:
    """One process that runs the daemon."""

    def __init__(self, command: tuple[str, ...], environment: Mapping[str, str], log_path: Path) -> None:
        self.systemd = Systemd()
        self._log_path = log_path
        self._events: list[dict[str, Any]] = []
        self._read_bytes = 0
        self._log = log_path.open("wb")
        self.process = subprocess.Popen(
            command,
            env={**environment, "NOTIFY_SOCKET": self.systemd.path},
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None:
            print(self.output, [*dict.fromkeys(self.systemd.lines)])  # noqa: T201 - pytest shows it with the failure
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self._log.close()
        self.systemd.close()
        assert "Traceback" not in self.output

    @property
    def output(self) -> str:
        """Its output."""
        return self._log_path.read_text()

    @property
    def events(self) -> list[dict[str, Any]]:
        """Its log; every line is a JSON object, and is read once."""
        with self._log_path.open("rb") as log:
            log.seek(self._read_bytes)
            for line in log:
                if line.endswith(b"\n"):  # the last line may be half written
                    self._events.append(json.loads(line))
                    self._read_bytes += len(line)
        return self._events

    def find(self, event: str, **details: object) -> list[dict[str, Any]]:
        """Return the log lines of one event with these details."""
        wanted = {"event": event, **details}
        return [line for line in self.events if wanted == {name: line.get(name) for name in wanted}]

    def wait_for(self, event: str, count: int = 1, **details: object) -> dict[str, Any]:
        """Wait until an event was logged `count` times; return the last one."""
        wait_until(lambda: len(self.find(event, **details)) >= count or self.is_over, event, lambda: self.output)
        assert len(self.find(event, **details)) >= count, self.output
        return self.find(event, **details)[-1]

    def wait_notified(self, line: str, count: int = 1) -> None:
        """Wait until systemd was sent a line `count` times."""
        wait_until(lambda: self.systemd.lines.count(line) >= count or self.is_over, line, lambda: self.output)
        assert self.systemd.lines.count(line) >= count, self.output

    def wait_status(self, part: str) -> None:
        """Wait until the status line has a part."""
        wait_until(lambda: any(part in line for line in self.systemd.statuses), part, lambda: self.systemd.statuses)

    @property
    def is_over(self) -> bool:
        """Whether the process has ended."""
        return self.process.poll() is not None

    def reload(self) -> None:
        """Ask for the settings to be read again."""
        self.process.send_signal(signal.SIGHUP)

    def end(self, number: signal.Signals = signal.SIGTERM, seconds: float = LONGEST) -> int:
        """Send a signal, and return the exit code, which must come within `seconds`."""
        self.process.send_signal(number)
        code = self.process.wait(seconds)
        self.systemd.settle()
        return code


class Machine:
    """Settings, ledger and packages, in a directory of their own."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.ledger = home / "ledger.sqlite3"
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "PYTHONPATH": str(home / "packages"),
            "UPDATE_CHECK_CONFIG": str(home / "config.env"),
            "UPDATE_CHECK_MASTODON_ROOT": str(home),
            "UPDATE_CHECK_LEDGER": str(self.ledger),
        }
        kept = {"COVERAGE_PROCESS_START", "COVERAGE_FILE"} & os.environ.keys()
        self.environment |= {name: os.environ[name] for name in kept}
        self._settings: dict[str, str] = {
            "LOCAL_DOMAIN": "social.example",
            "UPDATE_CHECK_URL": "",
            "UPDATE_CHECK_INSTANCE_URL": "",
            "UPDATE_CHECK_MASTODON_VERSION": "4.5.19",
            "UPDATE_CHECK_RECIPIENTS": "ops@social.example",
            "SMTP_FROM_ADDRESS": "mastodon@social.example",
        }
        self._started = 0
        self.configure()

    def configure(self, **settings: object) -> None:
        """Set variables in the machine's own file of settings; None takes one out."""
        self._settings |= {name: str(value) for name, value in settings.items()}
        for name, value in settings.items():
            if value is None:
                del self._settings[name]
        text = "".join(f"{name}='{value}'\n" for name, value in self._settings.items())
        draft = self.home / "config.new"
        draft.write_text(text)
        draft.replace(self.home / "config.env")

    def install_sink(self, name: str, code: str) -> None:
        """Install a package with one sink, as another author would publish it; `code` defines `create(options)`."""
        packages = self.home / "packages"
        info = packages / f"{name}_sink-1.0.dist-info"
        info.mkdir(parents=True)
        (packages / f"{name}_sink.py").write_text(code)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}-sink\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[mastodon_update_check.sinks]\n{name} = {name}_sink:create\n")

    def start(self, *wrapper: str, **environment: str) -> Daemon:
        """Start the daemon, by way of a wrapper if wanted."""
        return self.start_command(*wrapper, *PROGRAM, "run", **environment)

    def start_command(self, *command: str, **environment: str) -> Daemon:
        """Start something else in the daemon's place."""
        self._started += 1
        return Daemon(command, {**self.environment, **environment}, self.home / f"log.{self._started}")

    def run(self, *arguments: str) -> int:
        """Run another command; return its exit code."""
        command = (*PROGRAM, *arguments)
        return subprocess.run(command, env=self.environment, capture_output=True, check=False).returncode

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """Run one statement in the ledger."""
        with contextlib.closing(sqlite3.connect(self.ledger, isolation_level=None)) as connection:
            return connection.execute(sql).fetchall()

    @property
    def attempts(self) -> list[tuple[Any, ...]]:
        """Sink, number and outcome of every attempt so far."""
        if not self.ledger.exists():
            return []
        return self.query(
            "SELECT sink, number, outcome FROM attempt JOIN message ON message.id = message_id ORDER BY sink, number"
        )
