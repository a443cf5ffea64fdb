"""The sources of settings in their order: environment, systemd credentials, our own file, Mastodon's files.

Each is one layer. A layer holds only what the layers above it do not: a hidden value is neither expanded nor opened,
and so cannot be wrong.

Mastodon's files belong to another user: an unusable value disables only what needs it. They are the files that Rails
loads, or the one that `UPDATE_CHECK_MASTODON_ENV_FILE` names, read as one document. They may not name files with
secrets (`NAME_FILE`): their owner could name one that only this program can read, and a mail server to send it to.
"""

import errno
import os
from collections import ChainMap
from collections.abc import Collection, Container, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from mastodon_update_check.config import variables
from mastodon_update_check.config.dotenv import Assignments, Defect, EnvFiles, expand, parse, read_rails_files
from mastodon_update_check.config.kinds import UnexpectedValueError, parse_path
from mastodon_update_check.config.settings import BLANK_COUNTS, MASTODON_ROOT
from mastodon_update_check.config.variables import FILE_BYTES, VALUE_BYTES, Found, Layer, Problems, usable
from mastodon_update_check.domain.text import clean
from mastodon_update_check.files import describe, follow_trusted, is_null, read_foreign, read_own

ENV_FILE: Final = "UPDATE_CHECK_MASTODON_ENV_FILE"
ROOT: Final = "UPDATE_CHECK_MASTODON_ROOT"
_CONFIG: Final = "UPDATE_CHECK_CONFIG"
_CREDENTIALS: Final = "CREDENTIALS_DIRECTORY"
_DATABASE_URL: Final = "DATABASE_URL"
_URL: Final = "UPDATE_CHECK_URL"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """The content of all sources, read once."""

    found: Layer
    """Every variable that is set; a blank one is not, except where blank is a value."""
    strangers: Layer
    """The variables of the environment and of our own file that begin like ours, but have no fixed name."""
    config_file: Path | None
    mastodon_files: tuple[Path, ...]
    mastodon_check_is_off: bool
    is_foreign: bool
    """Whether another user decides what is in Mastodon's files, and so what is missing."""


def gather(environ: Mapping[str, str], config_file: Path, problems: Problems) -> Sources:
    """Read all sources, our own file at `config_file` by default; what cannot be read is added to `problems`."""
    relevant = {name: Found(text, "the environment") for name, text in environ.items() if variables.is_relevant(name)}
    environment = _with_secret_files(relevant, (), problems)
    passed = _credentials(environ, environment, problems)
    path, own = _own_file(environ, ChainMap(environment, passed), config_file, problems)
    above, public = ChainMap(environment, passed, own), ChainMap(environment, own)
    root = _path_of(above.get(ROOT)) or MASTODON_ROOT
    files = _read_mastodon_files(root, above, problems)
    mastodons, is_off = _mastodon_layer(files.assignments, environ, above, problems)
    merged = ChainMap(*above.maps, mastodons)
    return Sources(
        found={name: each for name, each in merged.items() if not each.is_blank or name in BLANK_COUNTS},
        strangers={name: public[name] for name in variables.strangers(public)},
        config_file=path,
        mastodon_files=files.paths,
        mastodon_check_is_off=is_off,
        is_foreign=(bool(files.paths) or _is_of_others(root)) and not any(map(is_null, files.paths)),
    )


def _own_file(
    environ: Mapping[str, str], above: Layer, default: Path, problems: Problems
) -> tuple[Path | None, dict[str, Found]]:
    """Read `UPDATE_CHECK_CONFIG`, or else the default file, which may be missing; return its path if it was read."""
    named = above.get(_CONFIG)
    given = _path_of(named)
    path = given or default
    if is_null(path):
        return None, {}
    try:
        text = read_own(path, FILE_BYTES)
    except (OSError, ValueError) as error:
        if given or not isinstance(error, FileNotFoundError):
            problem = f"{clean(str(path))} cannot be read: {describe(error)}"
            problems.add(_CONFIG, named or Found("", "default"), problem)
        return None, {}
    return path, _with_secret_files(_layer(parse(text, path), environ, above, problems), above, problems)


def _layer(assignments: Assignments, environ: Mapping[str, str], above: Layer, problems: Problems) -> Layer:
    places = {assignment.name: Found("", assignment.place) for assignment in assignments}
    wanted = {name for name in places if variables.is_relevant(name) and variables.target(name) not in above}
    cut = {assignment.name: assignment.is_cut for assignment in assignments}
    for name, place in places.items():
        if name in wanted and cut[name]:
            problems.warn(name, place, "the # begins a comment: put the value in single quotes to keep its end")
        elif (meant := variables.near_miss(name)) is not None:
            problems.warn(name, place, f"unknown variable: did you mean {meant}?")
    if _CONFIG in places:
        problems.add(_CONFIG, places[_CONFIG], "can only be set in the environment")
    return _expand(assignments, wanted - {_CONFIG}, environ, problems)


def _with_secret_files(layer: Layer, above: Container[str], problems: Problems) -> dict[str, Found]:
    """Return `layer` with each `NAME_FILE` replaced by a `NAME`, unless `above` has that already."""
    named = {name: found for name, found in layer.items() if variables.target(name) == name}
    for file_name, file in layer.items():
        name = variables.target(file_name)
        if name == file_name or name in above:
            continue
        if name in named and not (named[name].is_blank or file.is_blank):
            problems.add(file_name, file, f"{name} is set as well: remove one of them", about=name)
        elif file.is_blank:
            named.setdefault(name, file)
        elif (found := _secret(name, file_name, file, problems)) is not None:
            named[name] = found
    return usable(named, problems)


def _credentials(environ: Mapping[str, str], above: Container[str], problems: Problems) -> dict[str, Found]:
    """Return the secrets that systemd passes, except those that `above` has already.

    Variables of other packages' sinks are among them, since any of those may be a secret.
    """
    found = {}
    for path in sorted(Path(environ[_CREDENTIALS]).glob("*")) if environ.get(_CREDENTIALS) else ():
        name = path.name if variables.is_secret(path.name) else path.name.upper()
        is_ours = variables.is_secret(name) or variables.strangers([name])
        if is_ours and name not in above and path.name == path.name.lower():
            place = f"credential {path.name}"
            try:
                found[name] = Found(_read_secret(path), place)
            except (OSError, ValueError) as error:
                problems.add(name, Found("", place), f"the credential cannot be read: {describe(error)}")
    return usable(found, problems)


def _secret(name: str, file_name: str, file: Found, problems: Problems) -> Found | None:
    try:
        path = parse_path(file.text)
        return Found(_read_secret(path), f"{path}, which {file_name} names")
    except UnexpectedValueError as error:
        problems.refuse(file_name, file, str(error), error.got)
    except (OSError, ValueError) as error:
        problems.add(file_name, file, f"{clean(str(path))} cannot be read: {describe(error)}")
    problems.names.add(name)
    return None


def _read_secret(path: Path) -> str:
    """Return the text of a file that holds one secret, without one trailing newline."""
    return read_own(path, VALUE_BYTES).removesuffix("\n").removesuffix("\r")


def _mastodon_layer(
    assignments: Assignments, environ: Mapping[str, str], above: Layer, problems: Problems
) -> tuple[dict[str, Found], bool]:
    """Return what is taken from Mastodon's files, and whether they disable the check that is built into Mastodon."""
    names = {each.name for each in assignments}
    wanted = {name for name in names if variables.is_taken_from_mastodon(name) and name not in above}
    if _DATABASE_URL in above and not above[_DATABASE_URL].is_blank:  # the others would complete it
        wanted = {name for name in wanted if not name.startswith("DB_")}
    # Secrets and the rest of the environment are not for Mastodon's user: `SMTP_LOGIN=$NAME` could send them anywhere.
    theirs = {name: text for name, text in environ.items() if variables.is_taken_from_mastodon(name)}
    passed = {name: text for name, text in theirs.items() if name != _URL and not variables.is_secret(name)}
    is_off = not str(expand(assignments, {_URL}, passed).get(_URL, _URL)).strip()
    wanted -= {_URL} if is_off else set()
    return usable(_expand(assignments, wanted, passed, problems, is_trusted=False), problems), is_off


def _expand(
    assignments: Assignments,
    wanted: Collection[str],
    environ: Mapping[str, str],
    problems: Problems,
    *,
    is_trusted: bool = True,
) -> dict[str, Found]:
    """Return the wanted variables of a file; those that cannot be used are added to `problems`."""
    places = {assignment.name: assignment.place for assignment in assignments}
    layer = {}
    for name, value in expand(assignments, wanted, environ).items():
        found = Found("" if isinstance(value, Defect) else value, places[name], is_trusted)
        if isinstance(value, Defect):
            problems.add(name, found, value.value, about=variables.target(name))
        else:
            layer[name] = found
    return layer


def _path_of(found: Found | None) -> Path | None:
    """Return the path that a variable gives; None without one. Its own parser reports what is wrong with it."""
    if found is None or found.is_blank:
        return None
    try:
        return parse_path(found.text)
    except ValueError:
        return None


def _is_of_others(path: Path) -> bool:
    """Return whether a user other than root and this process's owns the nearest directory of `path` that exists."""
    for directory in path.absolute().parents:
        with suppress(OSError):
            return directory.stat().st_uid not in _trusted_users()
    return False


def _trusted_users() -> frozenset[int]:
    return frozenset({0, os.geteuid()})


def _read_mastodon_files(root: Path, above: Layer, problems: Problems) -> EnvFiles:
    """Read the file that is named, or else those of Rails, of which one that is missing or private is not a problem."""
    named = above.get(ENV_FILE)
    path = _path_of(named)
    if named is None or path is None:
        files = read_rails_files(root)
        for each, error in files.errors.items():
            if getattr(error, "errno", None) not in {errno.ENOENT, errno.ENOTDIR, errno.EACCES}:
                problems.disable(ENV_FILE, f"{clean(str(each))} cannot be read: {describe(error)}")
        return files
    try:
        text = "" if is_null(path) else read_foreign(follow_trusted(path, _trusted_users()), FILE_BYTES)
        return EnvFiles((path,), parse(text, path))
    except (OSError, ValueError) as error:
        reason = f"{clean(str(path))} cannot be read: {describe(error)}"
        if _is_of_others(path):
            problems.disable(ENV_FILE, reason)
        else:
            problems.add(ENV_FILE, named, reason)
    return EnvFiles()
