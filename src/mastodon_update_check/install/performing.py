"""Taking the steps of `setup`; the first failure ends it."""

from pathlib import Path
from typing import assert_never

from mastodon_update_check.domain.text import clean
from mastodon_update_check.errors import SetupError
from mastodon_update_check.files.own import replace_file
from mastodon_update_check.host.machine import Account, Machine
from mastodon_update_check.host.names import Place
from mastodon_update_check.host.programs import Finished
from mastodon_update_check.install.copying import copy_settings
from mastodon_update_check.install.database import psql
from mastodon_update_check.install.manifest import Manifest
from mastodon_update_check.install.steps import (
    CopySettings,
    CreateRole,
    DropRole,
    RemoveFile,
    Step,
    Systemctl,
    WriteFile,
)
from mastodon_update_check.mastodon.sql import install_script, undo_script

SAID_CHARACTERS = 500


def perform(step: Step, machine: Machine, place: Place, account: Account) -> str:
    """Take one step; return a message about it, usually empty.

    Raises:
        SetupError: it cannot be done.
    """
    try:
        return _perform(step, machine, place, account)
    except OSError as error:
        raise SetupError(f"{step}: {clean(str(error))}") from error


def keep_manifest(manifest: Manifest, machine: Machine, place: Place, account: Account) -> None:
    """Record what is going to be done.

    Raises:
        SetupError: the record cannot be written.
    """
    try:
        machine.require_own_directory(place.settings_directory, 0o750, account.gid)
        replace_file(place.manifest, manifest.to_text().encode())
    except OSError as error:
        raise SetupError(f"{place.manifest} cannot be written: {clean(str(error))}") from error


def _perform(step: Step, machine: Machine, place: Place, account: Account) -> str:
    match step:
        case CreateRole():
            return _require(psql(machine, step.server, install_script()), step)
        case DropRole():
            return _require(psql(machine, step.server, undo_script()), step)
        case WriteFile():
            _write(step, machine, account)
        case RemoveFile():
            _remove(step.path, place)
        case CopySettings():
            report = copy_settings(machine, place)
            return report.sentence if report.is_problem else ""
        case Systemctl():
            _systemctl(step, machine)
        case _:
            assert_never(step)
    return ""


def _write(step: WriteFile, machine: Machine, account: Account) -> None:
    directory = step.path.parent
    machine.require_own_directory(directory, 0o755, -1)
    mode, group = (0o640, account.gid) if step.is_secret else (0o644, -1)
    replace_file(step.path, step.content.encode(errors="surrogateescape"), mode=mode, group=group)


def _remove(path: Path, place: Place) -> None:
    path.unlink(missing_ok=True)
    directory = path.parent
    is_ours = directory.suffix == ".d" or directory == place.copies
    if is_ours and directory.is_dir() and not any(directory.iterdir()):
        directory.rmdir()


def _require(answer: Finished, step: Step) -> str:
    said = clean(answer.err.strip() or answer.out.strip(), SAID_CHARACTERS)
    if not answer.has_worked:
        raise SetupError(f"{step} failed: {said or f'exit code {answer.code}'}")
    return said


def _systemctl(step: Systemctl, machine: Machine) -> None:
    """Run it; when a unit does not start, report its last log lines, which systemctl does not show."""
    answer = machine.run(("systemctl", *step.words))
    if not answer.has_worked and step.words[0] == "restart":
        log = machine.run(("journalctl", "--no-pager", "--lines=3", "--output=cat", f"--unit={step.words[-1]}")).out
        lines = clean(" / ".join(log.strip().splitlines()), SAID_CHARACTERS)
        raise SetupError(
            f"{step.words[-1]} does not start: {lines or clean(answer.err.strip(), SAID_CHARACTERS)}. Everything else "
            f"is done: `journalctl -u {step.words[-1]}` has more; then run `systemctl restart {step.words[-1]}`"
        )
    _require(answer, step)
