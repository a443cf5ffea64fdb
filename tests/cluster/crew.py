"""Daemons on several nodes that share one ledger; the update server and the mail server that they all use."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path
from typing import Any, Self

from cluster.mailbox import Hold, Mailbox
from daemon.program import Systemd
from ledger.places import query
from mastodon_update_check.ledger.postgres_place import PostgresPlace
from simulators.update_server import UpdateServer

PEOPLE = tuple(f"ops{number}@social.example" for number in range(8))
INTERVAL = 3
LONGEST = 90.0
OPEN = "SELECT 1 FROM message WHERE state IN ('pending', 'failed') OR claim IS NOT NULL"


class Crew:
    """One Mastodon server on several machines, with its neighbours; lasts as long as its context."""

    def __init__(self, home: Path, place: PostgresPlace, ledger: str, people: Sequence[str] = PEOPLE) -> None:
        """`ledger` is a URL of `place`."""
        self._home = home
        self.place = place
        self.people = people
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "LOCAL_DOMAIN": "social.example",
            "UPDATE_CHECK_CONFIG": str(home / "config.env"),
            "UPDATE_CHECK_MASTODON_ROOT": str(home),
            "UPDATE_CHECK_MASTODON_VERSION": "4.5.0",
            "UPDATE_CHECK_INSTANCE_URL": "",
            "UPDATE_CHECK_LEDGER": ledger,
            "UPDATE_CHECK_RECIPIENTS": ",".join(people),
            "UPDATE_CHECK_SINKS": "email",
            "UPDATE_CHECK_INTERVAL": str(INTERVAL),
            "UPDATE_CHECK_JITTER": "0",
            "WATCHDOG_USEC": "60000000",  # as the unit says
            "SMTP_SERVER": "127.0.0.1",
            "SMTP_FROM_ADDRESS": "mastodon@social.example",
        }
        (home / "config.env").touch()
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self._systemd: dict[str, Systemd] = {}
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        self.updates = self._stack.enter_context(UpdateServer())
        self.mailbox = self._stack.enter_context(Mailbox())
        self._stack.callback(self._end)
        self.environment |= {"UPDATE_CHECK_URL": self.updates.url, "SMTP_PORT": str(self.mailbox.port)}
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def start(self, *hosts: str, **environment: str) -> None:
        """Start the daemon on these nodes, or start it there again."""
        for host in hosts:
            heard = self._systemd.setdefault(host, Systemd())
            command = _program(host, "run")
            variables = {**self.environment, "NOTIFY_SOCKET": heard.path, **environment}
            with self._log(host).open("ab") as log:
                self.processes[host] = subprocess.Popen(command, env=variables, stdout=log, stderr=log)
        self.mailbox.pids = [process.pid for process in self.processes.values()]

    def host_of(self, pid: int) -> str:
        """Return which node a process is."""
        return next(host for host, process in self.processes.items() if process.pid == pid)

    def kill(self, host: str) -> None:
        """Lose a machine."""
        self.processes[host].kill()
        self.processes[host].wait()

    def freeze(self, host: str) -> None:
        """Let a machine stand still: the signal alone may take a while, in which the daemon goes on."""
        self.send(host, signal.SIGSTOP)
        os.waitid(os.P_PID, self.processes[host].pid, os.WSTOPPED)

    def thaw(self, host: str) -> None:
        """Let it go on."""
        self.send(host, signal.SIGCONT)

    def send(self, host: str, number: signal.Signals) -> None:
        """Send a node's daemon a signal."""
        self.processes[host].send_signal(number)

    def stop(self, host: str) -> int:
        """Stop a daemon as systemd does; return its exit code."""
        self.send(host, signal.SIGTERM)
        return self.processes[host].wait(30)

    def run(self, host: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a command on a node."""
        variables = {**self.environment, **environment}
        return subprocess.run(
            _program(host, *arguments), env=variables, check=False, capture_output=True, text=True, timeout=LONGEST
        )

    def checker(self) -> str:
        """Return which node has the turn to check."""
        ((host,),) = query(self.place, "SELECT host FROM turn")
        return str(host)

    def events(self, host: str, name: str) -> list[dict[str, Any]]:
        """Return the lines of a daemon's log with one name."""
        whole, _, _ = self._log(host).read_text().rpartition("\n")  # the last line may be half written
        return [event for event in map(json.loads, whole.splitlines()) if event["event"] == name]

    def wait_event(self, host: str, name: str, seconds: float = LONGEST) -> None:
        """Wait until a daemon has logged something."""
        self.wait(lambda: self.events(host, name), f"{name} in the log of {host}", seconds)

    def wait_status(self, host: str, beginning: str, seconds: float = LONGEST) -> None:
        """Wait until a daemon's status line, as systemd has it, begins with something."""
        heard = self._systemd[host]
        self.wait(
            lambda: next(reversed(heard.statuses), "").startswith(beginning), f"{host}'s status: {beginning}", seconds
        )

    def gaps_between_feedings(self, host: str) -> Iterator[float]:
        """Return for how long, each time, the watchdog had to wait; also until now."""
        fed = [*self._systemd[host].feedings(), time.monotonic()]
        return (later - sooner for sooner, later in pairwise(fed))

    def publish_and_hold(self, version: str, *stages: str) -> Sequence[Hold]:
        """Publish a release, and hold the first to tell of it, each another process, at these stages."""
        self.mailbox.arm(stages)
        self.updates.publish(version)
        self.wait(lambda: len(self.mailbox.holds) == len(stages), "senders in the middle of a delivery")
        return self.mailbox.holds

    def tell(self, version: str) -> None:
        """Publish a release, and wait until everybody was told."""
        known = set(self.mailbox.accepted)
        self.updates.publish(version)
        self.wait_told(known, version)

    def told(self, known: Iterable[tuple[str, str]]) -> set[str]:
        """Return who got a mail that nobody had got before."""
        return {key[0] for key in set(self.mailbox.accepted) - set(known)}

    def wait_told(self, known: Iterable[tuple[str, str]], what: str, seconds: float = LONGEST) -> None:
        """Wait until everybody got a mail that nobody had got before."""
        self.wait(lambda: self.told(known) == set(self.people), f"{what} to everybody", seconds)

    def settle(self) -> Counter[tuple[str, str]]:
        """Wait until nothing is under way; return how often each mail came."""
        self.wait(lambda: not query(self.place, OPEN), "nothing under way")
        return Counter(self.mailbox.accepted)

    def wait(self, is_true: Callable[[], object], what: str, seconds: float = LONGEST) -> None:
        """Wait for something to become true."""
        end = time.monotonic() + seconds
        while not is_true():
            if time.monotonic() > end:
                logs = "".join(f"\n{path.name}: {path.read_text()[-1500:]}" for path in self._home.glob("*.log"))
                raise AssertionError(f"in vain: {what}{logs}")
            time.sleep(0.02)

    def _log(self, host: str) -> Path:
        return self._home / f"{host}.log"

    def _end(self) -> None:
        for process in self.processes.values():
            process.kill()
            process.wait()
        for heard in self._systemd.values():
            heard.close()
        logs = "".join(path.read_text() for path in self._home.glob("*.log"))
        assert "Traceback" not in logs, logs


def _program(host: str, *arguments: str) -> tuple[str, ...]:
    return sys.executable, str(Path(__file__).with_name("node.py")), host, *arguments


def account(crew: Crew, releases: int, allowed: Mapping[tuple[str, str], int]) -> tuple[int, list[str], list[str]]:
    """Wait until nothing is under way; say how many repeats there were that may be, what is lost, what else repeats.

    `crew` published so many `releases` one after the other; `allowed` is how often each mail may come once more.
    """
    got = crew.settle()
    counts = Counter(person for person, _ in got)
    lost = [f"{person}: {count} of {releases}" for person in crew.people if (count := counts[person]) < releases]
    outside = [f"{person}: another id" for person in crew.people if counts[person] > releases]
    outside += [" ".join(key) for key, count in got.items() if count - 1 > allowed.get(key, 0)]
    return sum(min(count - 1, allowed.get(key, 0)) for key, count in got.items()), lost, outside
