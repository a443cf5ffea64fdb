"""The steps of `setup` as values: they are shown before they are taken. The first failure ends `setup`."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import assert_never

from mastodon_update_check.domain.text import clean
from mastodon_update_check.errors import SetupError
from mastodon_update_check.files.own import replace_file
from mastodon_update_check.host.machine import Account, Machine, Place
from mastodon_update_check.install.copying import copy_settings
from mastodon_update_check.install.database import Server, psql
from mastodon_update_check.install.tree_view import hide_tree
from mastodon_update_check.mastodon.sql import install_script, undo_script

SAID_CHARACTERS = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class RunProgram:
    """Run a program of this host."""

    argv: tuple[str, ...]
    stdin: str = field(default="", repr=False)
    purpose: str = ""
    """The line of the plan, instead of the command."""

    def __str__(self) -> str:
        return self.purpose or " ".join(self.argv)


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteFile:
    """Write a file of this program's."""

    path: Path
    content: str = field(repr=False)
    purpose: str
    """The line of the plan, for one or several files."""
    added: tuple[str, ...] = ()
    """The lines that a dry run shows; no secrets."""
    is_secret: bool = False
    """Whether only root and the service's group may read it."""

    def __str__(self) -> str:
        return f"write {self.path}"


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveFile:
    """Remove a file of this program's, and its directory when that is empty."""

    path: Path

    def __str__(self) -> str:
        return f"remove {self.path}"


@dataclass(frozen=True, slots=True, kw_only=True)
class CopySettings:
    """Copy the needed lines of Mastodon's settings."""

    sources: tuple[Path, ...]
    target: Path

    def __str__(self) -> str:
        return f"copy the needed lines of {' and '.join(map(str, self.sources))} to {self.target}"


@dataclass(frozen=True, slots=True, kw_only=True)
class HideTree:
    """Unmount what the service sees of Mastodon's tree."""

    path: Path

    def __str__(self) -> str:
        return f"unmount {self.path}"


Step = RunProgram | WriteFile | RemoveFile | CopySettings | HideTree


def systemctl(*words: str) -> RunProgram:
    """Return the step that runs systemctl."""
    return RunProgram(argv=("systemctl", *words))


DAEMON_RELOAD = systemctl("daemon-reload")


def create_role(server: Server) -> RunProgram:
    """Return the step that creates the PostgreSQL role and its functions, or brings them up to date."""
    purpose = (
        f"create the PostgreSQL role _mastodon_update_check in {server.name} (port {server.port}); "
        "it can only list the staff"
    )
    return RunProgram(argv=psql(server), stdin=install_script(), purpose=purpose)


def drop_role(server: Server) -> RunProgram:
    """Return the step that removes the functions, and the role unless another database uses it."""
    purpose = f"remove the PostgreSQL role and its functions from {server.name} (port {server.port})"
    return RunProgram(argv=psql(server), stdin=undo_script(), purpose=purpose)


def perform(step: Step, machine: Machine, place: Place, account: Account) -> str:
    """Take one step; return a message about it, usually empty.

    Raises:
        SetupError: it cannot be done.
    """
    try:
        match step:
            case RunProgram():
                return _run(step, machine)
            case WriteFile():
                machine.require_own_directory(step.path.parent, 0o755, -1)
                mode, group = (0o640, account.gid) if step.is_secret else (0o644, -1)
                replace_file(step.path, step.content.encode(errors="surrogateescape"), mode=mode, group=group)
            case RemoveFile():
                _remove(step.path, place)
            case HideTree():
                hide_tree(machine, place)
            case CopySettings():
                report = copy_settings(machine, place)
                return report.sentence if report.is_problem else ""
            case _:
                assert_never(step)
    except OSError as error:
        raise SetupError(f"{step}: {clean(str(error))}") from error
    return ""


def _run(step: RunProgram, machine: Machine) -> str:
    """Run it; when a unit does not start, report its last log lines, which systemctl does not show."""
    answer = machine.run(step.argv, step.stdin)
    said = clean(answer.err.strip() or answer.out.strip(), SAID_CHARACTERS)
    if answer.has_worked:
        return said if step.stdin else ""  # what a script says, but not `Created symlink …`
    if step.argv[:2] == ("systemctl", "restart"):
        unit = step.argv[-1]
        log = machine.run(("journalctl", "--no-pager", "--lines=3", "--output=cat", f"--unit={unit}")).out
        lines = clean(" / ".join(log.strip().splitlines()), SAID_CHARACTERS)
        raise SetupError(
            f"{unit} does not start: {lines or said}. Everything else is done: `journalctl -u {unit}` has more; then "
            f"run `systemctl restart {unit}`"
        )
    raise SetupError(f"{step} failed: {said or f'exit code {answer.code}'}")


def _remove(path: Path, place: Place) -> None:
    path.unlink(missing_ok=True)
    directory = path.parent
    is_ours = directory.suffix == ".d" or directory == place.copies
    if is_ours and directory.is_dir() and not any(directory.iterdir()):
        directory.rmdir()
