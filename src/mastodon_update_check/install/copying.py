"""The copy of Mastodon's settings: root reads its files, and the service finds the lines that it needs.

The owner of the files is another user, and may have put anything there: see `files.foreign`. A file that cannot be read
is logged, and does not keep the service from starting: the last copy stays, and without one there is an empty one.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from mastodon_update_check.config.dotenv import Assignments, merge, parse
from mastodon_update_check.config.expansion import expand, needed
from mastodon_update_check.config.found import FILE_BYTES, size_bytes
from mastodon_update_check.config.names import is_taken_from_mastodon
from mastodon_update_check.config.settings import MASTODON_FILES, MASTODON_ROOT
from mastodon_update_check.domain.text import clean
from mastodon_update_check.files.foreign import ForeignDirectory, describe
from mastodon_update_check.files.own import read_own, replace_file
from mastodon_update_check.host.machine import Machine, Place
from mastodon_update_check.install.tree_view import show_tree

ENV_FILE: Final = ".env.production"
ROOT: Final = "UPDATE_CHECK_MASTODON_ROOT"
COPY: Final = "UPDATE_CHECK_MASTODON_ENV_FILE"
DATABASE: Final = "UPDATE_CHECK_DATABASE_URL"

_EXCERPT_BYTES: Final = FILE_BYTES - 8 * 1024
"""Largest excerpt: with the comments above it, the copy is a file that the service reads."""
LOGINS: Final = frozenset({"DATABASE_URL", "DB_PASS"})
"""Mastodon's own login to its database, which may do everything: left out where another one is configured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyReport:
    """The result of a copy, as a sentence without a full stop."""

    sentence: str
    is_problem: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvFiles:
    """Mastodon's files of settings in one tree."""

    paths: tuple[Path, ...]
    """Those that were read, the one with precedence first; the usual one if none was."""
    assignments: Assignments = field(repr=False)
    problems: tuple[str, ...]


def copy_settings(machine: Machine, place: Place) -> CopyReport:
    """Copy the needed lines to where the service reads them, and show it the tree's directories."""
    own = own_values(place.config_file)
    if place.drop_in(place.unit).exists():
        show_tree(machine, place, Path(own.get(ROOT, str(MASTODON_ROOT))))
    if own.get(COPY) != str(place.mastodon_copy):
        return CopyReport(sentence=f"nothing is copied: {place.config_file} does not set {COPY}={place.mastodon_copy}")
    machine.require_own_directory(place.copies, 0o755, -1)
    files, lines = _read(machine, own)
    problem = "; ".join(files.problems)
    if problem and place.mastodon_copy.exists():
        return CopyReport(sentence=f"{problem}; the last copy stays", is_problem=True)
    sources = " and ".join(clean(str(path)) for path in files.paths)
    head = f"# {problem}.\n" if problem else ""
    head += f"# Copied from {sources}; changes here are lost.\n"
    account = machine.service_account
    content = (head + lines).encode(errors="surrogateescape")
    replace_file(place.mastodon_copy, content, mode=0o640, group=account.gid if account else 0)
    if problem:
        return CopyReport(sentence=f"{problem}; the service starts without it", is_problem=True)
    return CopyReport(sentence=f"the needed lines of {sources} are copied to {place.mastodon_copy}")


def differs_from_copy(machine: Machine, place: Place) -> bool:
    """Return whether Mastodon's files have changed since they were copied, or cannot be copied any more."""
    own = own_values(place.config_file)
    if own.get(COPY) != str(place.mastodon_copy) or not place.mastodon_copy.exists():
        return False
    files, lines = _read(machine, own)
    copied = place.mastodon_copy.read_bytes().decode(errors="surrogateescape")
    return bool(files.problems) or lines.splitlines() != [
        line for line in copied.splitlines() if not line.startswith("#")
    ]


def _read(machine: Machine, own: Mapping[str, str]) -> tuple[EnvFiles, str]:
    """Return Mastodon's files, and the lines that our own file makes necessary."""
    files = read_env_files(machine, Path(own.get(ROOT, str(MASTODON_ROOT))))
    lines = excerpt(files.assignments, with_login=not own.keys() & {DATABASE, f"{DATABASE}_FILE"})
    if size_bytes(lines) > _EXCERPT_BYTES:
        sources = " and ".join(clean(str(path)) for path in files.paths)
        problem = f"the needed lines of {sources} are larger than {_EXCERPT_BYTES} bytes"
        return replace(files, problems=(*files.problems, problem)), ""
    return files, lines


def read_env_files(machine: Machine, root: Path) -> EnvFiles:
    """Return Mastodon's files of settings; one that is missing is not a problem if there is another one."""
    documents: dict[Path, Assignments] = {}
    problems: list[str] = []
    try:
        with ForeignDirectory(machine.real(root), machine.root_uid) as directory:
            for name in MASTODON_FILES:
                try:
                    documents[root / name] = parse(directory.read_secrets(name, FILE_BYTES))
                except FileNotFoundError:
                    continue
                except (OSError, ValueError) as error:
                    problems.append(_problem(root / name, error))
    except OSError as error:
        problems.append(_problem(root / ENV_FILE, error))
    if not documents and not problems:
        problems.append(_problem(root / ENV_FILE, FileNotFoundError(0, "no such file or directory")))
    return EnvFiles(
        paths=tuple(documents) or (root / ENV_FILE,),
        assignments=merge(documents.values()),
        problems=tuple(problems),
    )


def _problem(path: Path, error: OSError | ValueError) -> str:
    return f"{clean(str(path))} cannot be copied: {describe(error)}"


def excerpt(assignments: Assignments, *, with_login: bool) -> str:
    """Return the needed lines of Mastodon's files, with those that they refer to, and Mastodon's login if wanted."""
    names = {assignment.name for assignment in assignments}
    wanted = {name for name in names if is_taken_from_mastodon(name) and (with_login or name not in LOGINS)}
    return "".join(f"{assignment.source}\n" for assignment in needed(assignments, wanted, {}))


def values(assignments: Assignments) -> dict[str, str]:
    """Return the values that this program would take from Mastodon's files; unusable ones are left out."""
    wanted = {each.name for each in assignments if is_taken_from_mastodon(each.name)}
    return {name: text for name, text in expand(assignments, wanted, {}).items() if isinstance(text, str)}


def own_values(path: Path) -> Mapping[str, str]:
    """Return the variables that our own file sets, as they are written; nothing when it cannot be read."""
    try:
        return values_of(read_own(path, FILE_BYTES))
    except (OSError, ValueError):  # reported when all of it is read
        return {}


def values_of(text: str) -> Mapping[str, str]:
    """Return the variables that the text of our own file sets, as they are written; a blank one is not set."""
    found = ((assignment.name, assignment.text.strip()) for assignment in parse(text))
    return {name: value for name, value in found if value}
