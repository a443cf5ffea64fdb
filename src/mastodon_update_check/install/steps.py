"""The steps of `setup`: each is shown before it is taken. The first failure ends `setup`."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from mastodon_update_check.domain.text import clean
from mastodon_update_check.errors import SetupError
from mastodon_update_check.files import replace_file
from mastodon_update_check.host.machine import Machine, Place
from mastodon_update_check.install.copying import copy_settings, hide_tree
from mastodon_update_check.install.database import Server, psql
from mastodon_update_check.mastodon.sql import read_sql

DAEMON_RELOAD = "systemctl daemon-reload"
_SAID_CHARACTERS = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class SetupStep:
    """One step."""

    text: str
    """The line of the plan; several files of one purpose share it."""
    take: Callable[[], str | None]
    """Takes it, and may return a message; raises `SetupError` or `OSError`."""
    path: Path | None = None
    added: tuple[str, ...] = ()
    """The lines that a dry run shows; no secrets."""


@dataclass(frozen=True, slots=True)
class Steps:
    """Makes the steps for one service of this host."""

    machine: Machine
    place: Place

    def systemctl(self, *words: str) -> SetupStep:
        """Run systemctl."""
        argv = ("systemctl", *words)
        return SetupStep(text=" ".join(argv), take=lambda: self._run(argv, " ".join(argv)))

    def run_sql(self, server: Server, script: str, text: str) -> SetupStep:
        """Run one of this program's scripts as the superuser of a server."""
        return SetupStep(text=text, take=lambda: self._run(psql(server), text, read_sql(script)))

    def write(
        self, path: Path, content: str, text: str, added: Sequence[str] = (), *, is_secret: bool = False
    ) -> SetupStep:
        """Write a file of this program's; only root and the service's group may read a secret one."""
        mode, group = (0o640, self.machine.service_gid or 0) if is_secret else (0o644, -1)

        def take() -> None:
            self.machine.require_own_directory(path.parent)
            replace_file(path, content.encode(errors="surrogateescape"), mode=mode, group=group)

        return SetupStep(text=text, take=take, path=path, added=tuple(added))

    def remove(self, path: Path) -> SetupStep:
        """Remove a file of this program's, and its directory when that is empty."""

        def take() -> None:
            path.unlink(missing_ok=True)
            is_ours = path.parent.suffix == ".d" or path == self.place.mastodon_copy
            if is_ours and path.parent.is_dir() and not any(path.parent.iterdir()):
                path.parent.rmdir()

        return SetupStep(text=f"remove {path}", take=take)

    def copy_settings(self, sources: str) -> SetupStep:
        """Copy the needed lines of Mastodon's settings."""

        def take() -> str:
            report = copy_settings(self.machine, self.place)
            return report.sentence if report.is_problem else ""

        return SetupStep(text=f"copy the needed lines of {sources} to {self.place.mastodon_copy}", take=take)

    def hide_tree(self) -> SetupStep:
        """Unmount what the service sees of Mastodon's tree."""
        return SetupStep(text=f"unmount {self.place.tree}", take=lambda: hide_tree(self.machine, self.place))

    def _run(self, argv: Sequence[str], text: str, stdin: str = "") -> str:
        """Run a program; when a unit does not start, report its last log lines, which systemctl does not show."""
        answer = self.machine.run(argv, stdin)
        said = clean(answer.err.strip() or answer.out.strip(), _SAID_CHARACTERS)
        if answer.has_worked:
            return said if stdin else ""  # what a script says, but not `Created symlink …`
        if argv[1] == "restart":
            unit = argv[-1]
            log = self.machine.run(("journalctl", "--no-pager", "--lines=3", "--output=cat", f"--unit={unit}")).out
            lines = clean(" / ".join(log.strip().splitlines()), _SAID_CHARACTERS)
            raise SetupError(
                f"{unit} does not start: {lines or said}. Everything else is done: `journalctl -u {unit}` has more; "
                f"then run `systemctl restart {unit}`"
            )
        raise SetupError(f"{text} failed: {said or f'exit code {answer.code}'}")
