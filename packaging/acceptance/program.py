"""The program that is being shown: its package, its unit, its settings, in one machine."""

import contextlib
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from acceptance.machine import Finished, Machine, wait_until
from end_to_end import passing

UNIT = "mastodon-update-check.service"
USER = "_mastodon_update_check"
CONFIG = "/etc/mastodon-update-check/config.env"
STATE = "/var/lib/mastodon-update-check"
QUICK = (
    "UPDATE_CHECK_URL=http://127.0.0.1:8099/update-check\nUPDATE_CHECK_INTERVAL=2s\nUPDATE_CHECK_JITTER=0\n"
    "UPDATE_CHECK_LOG_FORMAT=json\n"
)
"""Settings for stories: a check every two seconds, which the update server on loopback allows, and a log to be read."""
_PASSING = """import datetime, pathlib, sys
from passing import let_pass
let_pass(pathlib.Path(sys.argv[1]), datetime.timedelta(minutes=int(sys.argv[2])))
"""


class Program:
    """As the administrator of the machine sees it."""

    def __init__(self, machine: Machine, packages: tuple[Path, Path]) -> None:
        self.machine = machine
        self.package, self.next_package = (self._copy(package) for package in packages)

    def install(self, package: str) -> str:
        """Install a package as README says; return what apt said."""
        return self.machine.shell(f"cd /root && DEBIAN_FRONTEND=noninteractive apt-get install --yes ./{package} 2>&1")

    def command(self, arguments: str) -> Finished:
        """Run one of its commands in a root shell."""
        return self.machine.run(f"mastodon-update-check {arguments}")

    def status(self, command: str = "mastodon-update-check") -> dict[str, Any]:
        """Return what `status --json` says."""
        finished = self.machine.run(f"{command} status --json 2>/dev/null")
        answer: dict[str, Any] = json.loads(finished.out)
        return answer

    def add_settings(self, lines: str) -> None:
        """Write settings into the administrator's file, above everything else."""
        file = self.machine.root / CONFIG.lstrip("/")
        text = file.read_text()
        file.write_text(f"{lines}\n{text}")

    def follow_route(self, version: str) -> Finished:
        """Do, word for word and in a root shell, what `route` prints for one release."""
        printed = self.machine.shell(f"mastodon-update-check route {version}")
        lines = [line.strip() for line in printed.splitlines() if line.startswith("    ")]
        self.machine.write("/opt/route", "set -e\n" + "\n".join(lines) + "\n")
        # By a pipe: the shell that `sudo -iu` opens reads the lines that follow, and no more.
        return self.machine.run("cat /opt/route | bash 2>&1")

    def let_pass(self, *, minutes: int) -> None:
        """Let time pass for the ledger: every instant in it moves into the past."""
        self.machine.write("/opt/site/passing.py", Path(passing.__file__).read_text())
        self.machine.write("/opt/site/let_pass.py", _PASSING)
        self.machine.shell(
            f"systemctl stop {UNIT} && cd /opt/site\n"
            f"runuser -u {USER} -- python3 let_pass.py {STATE}/ledger.sqlite3 {minutes}\n"
            f"systemctl start {UNIT}"
        )
        self.wait_running()

    @contextlib.contextmanager
    def wrong_settings(self, line: str) -> Iterator[None]:
        """Have a line in the administrator's file for as long as the context lasts."""
        file = self.machine.root / CONFIG.lstrip("/")
        text = file.read_text()
        file.write_text(f"{line}\n{text}")
        try:
            yield
        finally:
            file.write_text(text)

    @property
    def pid(self) -> int:
        """The process of the unit; 0 if there is none."""
        return self.pid_of(UNIT)

    def pid_of(self, unit: str) -> int:
        """Return the process of a unit; 0 if there is none."""
        return int(self.machine.show(unit, "MainPID")["MainPID"])

    @property
    def state(self) -> str:
        """The unit's state, such as `active/running`."""
        return self._state_of(UNIT)

    def wait_running(self, *, other_than: int = 0, unit: str = UNIT) -> int:
        """Wait until it has said READY in another process than that; return the process."""
        wait_until(
            lambda: self._state_of(unit) == "active/running" and self.pid_of(unit) not in (0, other_than),
            f"{unit} running in a new process\n{self.machine.run(f'systemctl status {unit}').out}",
            120,
        )
        return self.pid_of(unit)

    def events(self, name: str = "", since: str = "", unit: str = UNIT) -> list[dict[str, Any]]:
        """Return what it has logged: each line's own fields, with the journal's PRIORITY."""
        found = []
        for line in self.machine.journal(unit, since):
            message = line.get("MESSAGE", "")
            if isinstance(message, str) and message.startswith("{"):
                event = {**json.loads(message), "PRIORITY": line["PRIORITY"]}
                found += [event] if name in ("", event["event"]) else []
        return found

    def wait_event(self, name: str, since: str = "", unit: str = UNIT) -> dict[str, Any]:
        """Return the first event of this name, as soon as there is one."""
        return wait_until(lambda: self.events(name, since, unit), f"the event {name}")[0]

    def _state_of(self, unit: str) -> str:
        shown = self.machine.show(unit, "ActiveState", "SubState")
        return f"{shown['ActiveState']}/{shown['SubState']}"

    def _copy(self, package: Path) -> str:
        shutil.copy(package, self.machine.root / "root")
        return package.name
