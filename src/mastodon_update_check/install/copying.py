"""The copy of Mastodon's settings that the service reads, and the view of Mastodon's tree that it gets; made by root.

The owner of both is another user, and may have put anything there: see `files`. A file that cannot be read is logged,
and does not keep the service from starting: the last copy stays, and without one there is an empty one.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from mastodon_update_check.config.dotenv import Assignments, EnvFiles, expand, needed, parse, read_rails_files
from mastodon_update_check.config.settings import MASTODON_ROOT
from mastodon_update_check.config.sources import ENV_FILE, ROOT
from mastodon_update_check.config.variables import FILE_BYTES, is_taken_from_mastodon, size_bytes
from mastodon_update_check.domain.text import clean
from mastodon_update_check.files import ForeignDirectory, describe, read_own, replace_file
from mastodon_update_check.host.machine import Machine, Place

DATABASE: Final = "UPDATE_CHECK_DATABASE_URL"
SHOWN_DIRECTORIES: Final = ("lib/mastodon", "config", "db/migrate", "db/post_migrate", "streaming")
"""The version, the names of the migrations, and the times of the files of streaming."""
_MOUNT_OPTIONS: Final = "nosuid,nodev,noexec"
_EXCERPT_BYTES: Final = FILE_BYTES - 8 * 1024
"""Largest excerpt: with the comments above it, the copy is a file that the service reads."""
_LOGINS: Final = frozenset({"DATABASE_URL", "DB_PASS"})
"""Mastodon's own login to its database, which may do everything: left out where another one is configured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyReport:
    """The result of a copy, as a sentence without a full stop."""

    sentence: str
    is_problem: bool = False


def copy_settings(machine: Machine, place: Place) -> CopyReport:
    """Copy the needed lines to where the service reads them, and show it the tree's directories."""
    own = own_values(place.config_file)
    if place.drop_in(place.unit).exists():
        show_tree(machine, place, Path(own.get(ROOT, str(MASTODON_ROOT))))
    if own.get(ENV_FILE) != str(place.mastodon_copy):
        return CopyReport(sentence=f"nothing is copied: {place.config_file} lacks {ENV_FILE}={place.mastodon_copy}")
    machine.require_own_directory(place.mastodon_copy.parent)
    sources, lines, problem = _read(machine, own)
    if problem and place.mastodon_copy.exists():
        return CopyReport(sentence=f"{problem}; the last copy stays", is_problem=True)
    head = f"# {problem}.\n" if problem else ""
    content = f"{head}# Copied from {sources}; changes here are lost.\n{lines}".encode(errors="surrogateescape")
    replace_file(place.mastodon_copy, content, mode=0o640, group=machine.service_gid or 0)
    if problem:
        return CopyReport(sentence=f"{problem}; the service starts without it", is_problem=True)
    return CopyReport(sentence=f"the needed lines of {sources} are copied to {place.mastodon_copy}")


def differs_from_copy(machine: Machine, place: Place) -> bool:
    """Return whether Mastodon's files have changed since they were copied, or cannot be copied any more."""
    own = own_values(place.config_file)
    if own.get(ENV_FILE) != str(place.mastodon_copy) or not place.mastodon_copy.exists():
        return False
    _, lines, problem = _read(machine, own)
    copied = place.mastodon_copy.read_bytes().decode(errors="surrogateescape").splitlines()
    return bool(problem) or lines.splitlines() != [line for line in copied if not line.startswith("#")]


def _read(machine: Machine, own: Mapping[str, str]) -> tuple[str, str, str]:
    """Return the names of Mastodon's files, the lines that our own file makes necessary, and a problem with them."""
    root = Path(own.get(ROOT, str(MASTODON_ROOT)))
    files = read_rails_files(root, machine.real(root), machine.root_uid)
    lines = excerpt(files.assignments, with_login=not own.keys() & {DATABASE, f"{DATABASE}_FILE"})
    problems = describe_problems(files)
    if size_bytes(lines) > _EXCERPT_BYTES:
        problems.append(f"the needed lines of {files.names} are larger than {_EXCERPT_BYTES} bytes")
        lines = ""
    return files.names, lines, "; ".join(problems)


def describe_problems(files: EnvFiles) -> list[str]:
    """Return a sentence without a full stop for each file that cannot be read."""
    return [f"{clean(str(path))} cannot be copied: {describe(error)}" for path, error in files.errors.items()]


def excerpt(assignments: Assignments, *, with_login: bool) -> str:
    """Return the needed lines of Mastodon's files, with those that they refer to, and Mastodon's login if wanted."""
    wanted = {name for name in _taken(assignments) if with_login or name not in _LOGINS}
    return "".join(f"{assignment.source}\n" for assignment in needed(assignments, wanted, {}))


def values(assignments: Assignments) -> dict[str, str]:
    """Return the values that this program would take from Mastodon's files; unusable ones are left out."""
    expanded = expand(assignments, _taken(assignments), {})
    return {name: text for name, text in expanded.items() if isinstance(text, str)}


def _taken(assignments: Assignments) -> set[str]:
    return {each.name for each in assignments if is_taken_from_mastodon(each.name)}


def own_values(path: Path) -> Mapping[str, str]:
    """Return the variables that our own file sets, as they are written; nothing when it cannot be read."""
    try:
        return values_of(read_own(path, FILE_BYTES))
    except (OSError, ValueError):  # reported when all of it is read
        return {}


def values_of(text: str) -> Mapping[str, str]:
    """Return the variables that the text of our own file sets, as they are written; a blank one is not set."""
    return {each.name: each.text.strip() for each in parse(text) if each.text.strip()}


def show_tree(machine: Machine, place: Place, root: Path) -> None:
    """Mount the directories of the tree at `root` read-only, without what is missing or is not a directory there.

    The unit binds them from a place where only root can change anything. Bound from the tree itself, systemd would
    follow the links of the tree's owner: one that leads to itself keeps a unit from starting, and one to `/` shows the
    service the whole host.
    """
    hide_tree(machine, place)
    for directory, mode in ((place.mastodon_copy.parent, 0o755), (place.tree.parent, 0o700), (place.tree, 0o755)):
        machine.require_own_directory(directory, mode)
    # Private: what is mounted here later changes nothing for a service that runs.
    base = ("mount", "--types=tmpfs", f"--options=mode=0755,size=64k,{_MOUNT_OPTIONS}", "--make-private", "tree")
    if not machine.run((*base, str(place.tree))).has_worked:
        return
    with suppress(OSError), ForeignDirectory(machine.real(root), machine.root_uid) as tree:
        for name in SHOWN_DIRECTORIES:
            target = place.tree / name
            # The directory that was examined is mounted, even if its name leads to another one by now.
            with suppress(OSError), tree.opened_directory(name) as opened:
                machine.require_own_directory(target.parent)
                target.mkdir()
                source = f"/proc/self/fd/{opened}"
                machine.run(("mount", "--no-canonicalize", "--bind", source, str(target)), descriptors=(opened,))
                machine.run(("mount", f"--options=remount,bind,ro,{_MOUNT_OPTIONS}", str(target)))


def hide_tree(machine: Machine, place: Place) -> None:
    """Take the directories away again, if they are there."""
    if place.tree.is_mount():
        machine.run(("umount", "--recursive", "--lazy", str(place.tree)))
