"""The copy of Mastodon's settings: root reads its files, and the service finds the lines that it needs.

The owner of the files is another user, and may have put anything there: see `files.foreign`. A file that cannot be read
is logged, and does not keep the service from starting: the last copy stays, and without one there is an empty one.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from mastodon_update_check.config.dotenv import Assignments, parse
from mastodon_update_check.config.expansion import expand, needed
from mastodon_update_check.config.found import FILE_BYTES
from mastodon_update_check.config.names import is_taken_from_mastodon
from mastodon_update_check.config.settings import MASTODON_FILES, MASTODON_ROOT
from mastodon_update_check.domain.text import clean
from mastodon_update_check.errors import SetupError
from mastodon_update_check.files.foreign import ForeignDirectory, describe
from mastodon_update_check.files.own import read_own, replace_file
from mastodon_update_check.host.machine import SERVICE_USER, Machine, Place
from mastodon_update_check.install.environment_file import EnvironmentFile, as_dotenv, examine_file
from mastodon_update_check.install.manifest import read_manifest

ENV_FILE: Final = ".env.production"
ROOT: Final = "UPDATE_CHECK_MASTODON_ROOT"
COPY: Final = "UPDATE_CHECK_MASTODON_ENV_FILE"
DATABASE: Final = "UPDATE_CHECK_DATABASE_URL"
_NAMES: Final = frozenset({ROOT, COPY, DATABASE, f"{DATABASE}_FILE"})

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
    text: str = field(repr=False)
    """Their assignments; of a name that several set, the one with precedence."""
    problems: tuple[str, ...]
    """Why one or several could not be read, each with its path."""
    is_missing: bool
    """Whether there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Composed:
    """The content of a copy."""

    sources: str
    lines: str = field(repr=False)
    left_out: str
    problems: tuple[str, ...]


def copy_settings(machine: Machine, place: Place) -> CopyReport:
    """Copy the needed lines to where the service reads them.

    Raises:
        OSError: the copy cannot be written.
    """
    own = own_values(place.config_file, _NAMES)
    if own.get(COPY) != str(place.mastodon_copy):
        return CopyReport(sentence=f"nothing is copied: {place.config_file} does not set {COPY}={place.mastodon_copy}")
    account = machine.service_account
    if account is None:
        return CopyReport(sentence=f"nothing is copied: there is no user {SERVICE_USER}", is_problem=True)
    machine.require_own_directory(place.copies, 0o755, -1)
    composed = _compose_for(machine, place, own)
    problem = "; ".join(composed.problems)
    if problem and place.mastodon_copy.exists():
        return CopyReport(sentence=f"{problem}; the last copy stays", is_problem=True)
    head = f"# {problem}.\n" if problem else ""
    head += f"# Copied from {composed.sources}; changes here are lost.\n"
    content = (head + composed.lines).encode(errors="surrogateescape")
    replace_file(place.mastodon_copy, content, mode=0o640, group=account.gid)
    if problem:
        return CopyReport(sentence=f"{problem}; the service starts without it", is_problem=True)
    said = f"the needed lines of {composed.sources} are copied to {place.mastodon_copy}"
    if composed.left_out:
        said += f", except {composed.left_out}, which no line can hold: set it in {place.config_file}"
    return CopyReport(sentence=said, is_problem=bool(composed.left_out))


def differs_from_copy(machine: Machine, place: Place) -> bool:
    """Return whether Mastodon's files have changed since they were copied, or cannot be copied any more."""
    own = own_values(place.config_file, _NAMES)
    if own.get(COPY) != str(place.mastodon_copy) or not place.mastodon_copy.exists():
        return False
    composed = _compose_for(machine, place, own)
    copied = place.mastodon_copy.read_bytes().decode(errors="surrogateescape")
    lines = [line for line in copied.splitlines() if not line.startswith("#")]
    return bool(composed.problems) or lines != composed.lines.splitlines()


def _compose_for(machine: Machine, place: Place, own: Mapping[str, str]) -> Composed:
    root = Path(own.get(ROOT, str(MASTODON_ROOT)))
    with_login = not own.keys() & {DATABASE, f"{DATABASE}_FILE"}
    try:
        manifest = read_manifest(place.manifest)
        return compose(machine, root, manifest.environment_files if manifest else (), with_login=with_login)
    except SetupError as error:
        return Composed(sources="", lines="", left_out="", problems=(clean(str(error)),))


def read_env_files(machine: Machine, root: Path) -> EnvFiles:
    """Return Mastodon's files of settings; one that is missing is not a problem if there is another one."""
    texts: dict[Path, str] = {}
    problems: list[str] = []
    try:
        with ForeignDirectory(machine.real(root), machine.root_uid) as directory:
            for name in MASTODON_FILES:
                try:
                    texts[root / name] = directory.read_secrets(name, FILE_BYTES)
                except FileNotFoundError:
                    continue
                except (OSError, ValueError) as error:
                    problems.append(_problem(root / name, error))
    except OSError as error:
        problems.append(_problem(root / ENV_FILE, error))
    is_missing = not texts and not problems
    if is_missing:
        problems.append(_problem(root / ENV_FILE, FileNotFoundError(0, "no such file or directory")))
    return EnvFiles(paths=tuple(texts), text=_merge(texts.values()), problems=tuple(problems), is_missing=is_missing)


def compose(machine: Machine, root: Path, named: Iterable[EnvironmentFile], *, with_login: bool) -> Composed:
    """Read Mastodon's files, and those that its unit names, which have precedence: in a copy, the last line wins."""
    examined = tuple(examine_file(machine, file) for file in named)
    problems = [f"{one.path} cannot be copied: {one.problem}" for one in examined if one.problem]
    given = {name: text for one in examined for name, text in one.variables.items() if with_login or name not in LOGINS}
    files = read_env_files(machine, root)
    if not (given and files.is_missing):  # a unit may name all settings
        problems += files.problems
    added, unfit = as_dotenv(given)
    paths = dict.fromkeys((*(files.paths or (root / ENV_FILE,)), *(one.path for one in examined)))
    return Composed(
        sources=" and ".join(clean(str(path)) for path in paths),
        lines=excerpt(files.text, with_login=with_login) + added,
        left_out=", ".join(unfit),
        problems=tuple(problems),
    )


def _merge(texts: Iterable[str]) -> str:
    lines: list[str] = []
    names: set[str] = set()
    for text in texts:
        added = [assignment for assignment in parse(text) if assignment.name not in names]
        lines += [f"{assignment.source}\n" for assignment in added]
        names |= {assignment.name for assignment in added}
    return "".join(lines)


def _problem(path: Path, error: OSError | ValueError) -> str:
    return f"{clean(str(path))} cannot be copied: {describe(error)}"


def excerpt(text: str, *, with_login: bool) -> str:
    """Return the needed lines of `text`, with those that they refer to.

    Args:
        text: Mastodon's file.
        with_login: whether Mastodon's own login to its database is needed.
    """
    assignments = parse(text)
    names = {assignment.name for assignment in assignments}
    wanted = {name for name in names if is_taken_from_mastodon(name) and (with_login or name not in LOGINS)}
    return "".join(f"{assignment.source}\n" for assignment in needed(assignments, wanted, {}))


def values(text: str) -> dict[str, str]:
    """Return the values that this program would take from Mastodon's file; unusable ones are left out."""
    assignments = parse(text)
    wanted = {assignment.name for assignment in assignments if is_taken_from_mastodon(assignment.name)}
    return _usable(assignments, wanted)


def own_values(path: Path, names: frozenset[str]) -> dict[str, str]:
    """Return those of some variables that our own file sets; nothing when it cannot be read."""
    try:
        assignments = parse(read_own(path, FILE_BYTES))
    except (OSError, ValueError):  # reported when all of it is read
        return {}
    return {name: text for name, text in _usable(assignments, names).items() if text.strip()}


def _usable(assignments: Assignments, wanted: Collection[str]) -> dict[str, str]:
    return {name: text for name, text in expand(assignments, wanted, {}).items() if isinstance(text, str)}
