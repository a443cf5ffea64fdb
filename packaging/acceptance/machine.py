"""One booted Debian: a root file system under an overlay, its own systemd as PID 1, no network but its own loopback.

::

    with Machine("bookworm", image("bookworm"), directory) as machine:
        assert "active" == machine.shell("systemctl is-active postgresql").strip()

What made it boot where there is no systemd outside and control groups are of version 1, with a trace of 2 (hybrid):

- `--register=no --keep-unit`: systemd outside is not asked for a scope. nspawn then exits with 133 when the system
  inside reboots, and is started again.
- A control group of its own in each hierarchy that systemd inside uses. Without one, two machines share theirs.
- Of version 1, nspawn hands over only the hierarchy without a controller. The one for memory is made writable from
  outside after the boot; since then `MemoryMax=` and `MemoryCurrent` are real.
"""

import contextlib
import json
import shutil
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self, TypeVar

from acceptance.groups import ControlGroups

REBOOTED = 133
BOOT_SECONDS = 120.0
SHELL_SECONDS = 240.0
_OUTSIDE = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8"}
_WRITABLE_MEMORY = "test ! -d /sys/fs/cgroup/memory || mount -o remount,bind,rw /sys/fs/cgroup/memory"

Answer = TypeVar("Answer")


class BrokenError(Exception):
    """Something did not hold; the text says what there was instead."""


@dataclass(frozen=True, slots=True)
class Finished:
    """What a command left behind: its exit code, and all that it printed."""

    code: int
    out: str


def wait_until(ask: Callable[[], Answer], what: str, seconds: float = 60.0) -> Answer:
    """Return the first answer that is true; the time is only a limit, far longer than it takes."""
    end = time.monotonic() + seconds
    while not (answer := ask()):
        if time.monotonic() > end:
            raise BrokenError(f"in vain for {seconds:.0f} s: {what}")
        time.sleep(0.1)
    return answer


class Machine:
    """Booted and alive as long as its context; nothing of it stays."""

    def __init__(self, name: str, image: Path, directory: Path) -> None:
        """`directory` is its own, and is emptied first."""
        self.name = name
        self._image = image
        self._directory = directory
        self.root = directory / "root"
        self.groups = ControlGroups(f"acceptance-{name}")
        self._stack = contextlib.ExitStack()
        self._nspawn: subprocess.Popen[bytes] | None = None
        self._leader = 0

    def __enter__(self) -> Self:
        shutil.rmtree(self._directory, ignore_errors=True)
        for folder in ("root", "upper", "work"):
            (self._directory / folder).mkdir(parents=True)
        try:
            self._stack.callback(shutil.rmtree, self._directory)
            self._mount()
            self._stack.enter_context(self.groups)
            self._stack.callback(self._kill)
            self._boot()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def run(self, script: str, *, seconds: float = SHELL_SECONDS) -> Finished:
        """Run a script in a plain root shell inside; say how it ended."""
        shell = (
            *("systemd-run", "--quiet", "--pipe", "--wait", "--collect", "--service-type=exec"),
            *("--setenv=HOME=/root", "--setenv=LANG=C.UTF-8", "--setenv=TERM=dumb", "--working-directory=/root"),
            *("/bin/bash", "-c", script.replace("$", "$$")),  # or systemd would put in variables of its own
        )
        return self._enter(*shell, seconds=seconds)

    def shell(self, script: str, *, seconds: float = SHELL_SECONDS) -> str:
        """Run a script that must succeed, stopping at its first failure; return what it printed."""
        finished = self.run(f"set -euo pipefail\n{script}", seconds=seconds)
        if finished.code:
            raise BrokenError(f"exit code {finished.code}: {script.strip()}\n{finished.out[-3_000:]}")
        return finished.out

    def answer(self, script: str, *answers: str) -> Finished:
        """Run a script at a terminal, and give these answers to its questions."""
        self.write("/opt/script", script)
        return self.run(f"python3 /opt/site/answer.py /opt/script {' '.join(answers)}")

    def write(self, path: str, text: str, mode: int = 0o644) -> None:
        """Write a file inside, as root."""
        file = self.root / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        file.chmod(mode)

    def show(self, unit: str, *names: str) -> dict[str, str]:
        """Return properties of a unit."""
        asked = [f"--property={name}" for name in names]
        lines = self._enter("systemctl", "show", unit, *asked).out.splitlines()
        return dict(line.split("=", 1) for line in lines if "=" in line)

    def journal(self, unit: str, since: str = "") -> list[dict[str, Any]]:
        """Return the unit's lines of the journal, the oldest first; `since` is a cursor."""
        after = [f"--after-cursor={since}"] if since else []
        command = ("journalctl", "--output=json", "--no-pager", f"--unit={unit}", *after)
        return [json.loads(line) for line in self._enter(*command).out.splitlines() if line.startswith("{")]

    def cursor(self) -> str:
        """Return where the journal ends now."""
        self._enter("journalctl", "--sync")
        return self._enter("journalctl", "--lines=0", "--show-cursor").out.partition("cursor: ")[2].strip()

    def reboot(self) -> None:
        """Have the system inside reboot, and wait until it is up again."""
        assert self._nspawn
        self._enter("systemctl", "reboot")
        code = self._nspawn.wait(BOOT_SECONDS)
        if code != REBOOTED:
            raise BrokenError(f"the reboot ended with {code}")
        self._boot()

    def _mount(self) -> None:
        layers = f"lowerdir={self._image},upperdir={self._directory / 'upper'},workdir={self._directory / 'work'}"
        subprocess.run(("mount", "-t", "overlay", "overlay", "-o", layers, self.root), check=True)
        self._stack.callback(subprocess.run, ("umount", "--recursive", self.root), check=True)

    def _boot(self) -> None:
        command = (
            *("systemd-nspawn", "--quiet", f"--directory={self.root}", f"--machine=acceptance-{self.name}"),
            *("--register=no", "--keep-unit", "--private-network", "--resolv-conf=off", "--timezone=off"),
            *("--console=pipe", "--boot"),
        )
        with (self._directory / "console").open("wb") as console:
            self._nspawn = subprocess.Popen(
                command,
                preexec_fn=self.groups.join,  # noqa: PLW1509 - no threads here
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=console,
            )
        try:
            wait_until(self._is_up, "a booted system", BOOT_SECONDS)
        except BrokenError as error:
            console_text = (self._directory / "console").read_text(errors="replace")
            raise BrokenError(f"{error}\n{console_text[-3_000:]}") from error

    def _is_up(self) -> bool:
        assert self._nspawn
        if self._nspawn.poll() is not None:
            raise BrokenError(f"systemd-nspawn ended with {self._nspawn.returncode}")
        children = Path(f"/proc/{self._nspawn.pid}/task/{self._nspawn.pid}/children").read_text().split()
        if not children:
            return False
        self._leader = int(children[-1])
        if self._enter("systemctl", "is-system-running").out.strip() not in ("running", "degraded"):
            return False
        self._enter("sh", "-c", f"{_WRITABLE_MEMORY} && systemctl daemon-reexec")
        return True

    def _enter(self, *command: str, seconds: float = SHELL_SECONDS) -> Finished:
        enter = ("nsenter", f"--target={self._leader}", "--all", "--", *command)
        try:
            ended = subprocess.run(
                enter,
                env=_OUTSIDE,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                timeout=seconds,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise BrokenError(f"not done after {seconds:.0f} s: {' '.join(command)}") from error
        return Finished(ended.returncode, ended.stdout.decode(errors="replace"))

    def _kill(self) -> None:
        """End every process of the machine: with its PID 1 the kernel ends them all."""
        if self._nspawn and self._nspawn.poll() is None:
            subprocess.run(("kill", "-KILL", str(self._leader)), check=False)
            try:
                self._nspawn.wait(10)
            except subprocess.TimeoutExpired:
                self._nspawn.kill()
                self._nspawn.wait()
