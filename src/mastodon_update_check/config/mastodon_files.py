"""Mastodon's files of settings, which belong to another user: an unusable value disables only what needs it.

They are the files that Rails loads, or the one that `UPDATE_CHECK_MASTODON_ENV_FILE` names. All of them are read as one
document, in which the first file that sets a name wins.
"""

import errno
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Final

from mastodon_update_check.config import names
from mastodon_update_check.config.dotenv import Assignments, merge, parse
from mastodon_update_check.config.expansion import Defect, expand, needed
from mastodon_update_check.config.found import FILE_BYTES, Found, Layer, Problems, usable
from mastodon_update_check.config.kinds import parse_path, parse_version
from mastodon_update_check.config.settings import MASTODON_FILES, MASTODON_ROOT
from mastodon_update_check.domain.text import clean
from mastodon_update_check.domain.versions import MastodonVersion
from mastodon_update_check.errors import CheckError
from mastodon_update_check.files.foreign import describe, follow_trusted, read_foreign
from mastodon_update_check.files.own import is_null

FindVersion = Callable[[Path, Mapping[str, str]], MastodonVersion]
"""Returns the version of the tree at a path, or raises `CheckError`; the mapping holds `MASTODON_VERSION_…`."""

ENV_FILE: Final = "UPDATE_CHECK_MASTODON_ENV_FILE"
_ROOT: Final = "UPDATE_CHECK_MASTODON_ROOT"
_VERSION: Final = "UPDATE_CHECK_MASTODON_VERSION"
_URL: Final = "UPDATE_CHECK_URL"
_NOT_YAML = ("DATABASE_", "DB_")
"""Mastodon 4.4 and later read all other variables through YAML, which drops quotes."""
_YAML_IN_440 = {_URL} | {
    f"SMTP_{name}" for name in ("FROM_ADDRESS", "LOGIN", "PASSWORD", "REPLY_TO", "RETURN_PATH", "SERVER")
}
"""Those whose quotes only 4.4.0 drops: later releases write them as JSON into the YAML."""
_OFF_IN_440 = frozenset({"", "~", "null", "false"})


@dataclass(frozen=True, slots=True)
class MastodonFiles:
    """The content of Mastodon's files."""

    paths: tuple[Path, ...]
    """Those that were read."""
    layer: Layer = field(repr=False)
    silences_mastodon: bool
    """Whether they disable the check that is built into Mastodon."""
    is_foreign: bool
    """Whether another user decides what is in them, and so what is missing."""


def read_mastodon_files(
    environ: Mapping[str, str], above: Layer, problems: Problems, find_version: FindVersion | None = None
) -> MastodonFiles:
    """Read the variables that may be taken from Mastodon's files, except those that `above` has.

    Args:
        environ: the environment, for `$NAME` in the values.
        above: the variables of the sources before.
        problems: takes what cannot be used.
        find_version: for the few values whose meaning depends on Mastodon's version.
    """
    root = path_of(above.get(_ROOT)) or MASTODON_ROOT
    documents = dict(_documents(root, above, problems))
    merged = merge(documents.values())
    places = {assignment.name: assignment.place for assignment in merged}
    version = cache(lambda: _find_version(root, above, find_version))
    values = _expand(merged, environ, above, version)
    url = values.get(_URL)
    is_off = isinstance(url, str) and _is_off(url, version)
    own_database = above.get("DATABASE_URL")
    has_own_database = own_database is not None and not own_database.is_blank  # which these would complete
    layer = {}
    for name, value in values.items():
        if name in above or (name == _URL and is_off) or (name.startswith("DB_") and has_own_database):
            continue
        if isinstance(value, Defect):
            problems.add(name, Found("", places[name], is_trusted=False), value.value)
        else:
            layer[name] = Found(_without_yaml_quotes(name, value, version), places[name], is_trusted=False)
    is_foreign = bool(documents) or is_of_others(root)
    return MastodonFiles(
        paths=tuple(documents),
        layer=usable(layer, problems),
        silences_mastodon=is_off,
        is_foreign=is_foreign and not any(map(is_null, documents)),
    )


def path_of(found: Found | None) -> Path | None:
    """Return the path that a variable gives; None without one. Its own parser reports what is wrong with it."""
    if found is None or found.is_blank:
        return None
    try:
        return parse_path(found.text)
    except ValueError:
        return None


def is_of_others(path: Path) -> bool:
    """Whether a user other than root and this process's decides what is at `path`.

    That is the owner of the nearest directory that exists.
    """
    for directory in path.absolute().parents:
        with suppress(OSError):
            return directory.stat().st_uid not in _trusted_users()
    return False


def _trusted_users() -> frozenset[int]:
    return frozenset({0, os.geteuid()})


def _documents(root: Path, above: Layer, problems: Problems) -> Iterator[tuple[Path, Assignments]]:
    named = above.get(ENV_FILE)
    path = path_of(named)
    if named is None or path is None:
        yield from _default_documents(root, problems)
    elif is_null(path):
        yield path, ()
    else:
        try:
            yield path, parse(read_foreign(follow_trusted(path, _trusted_users()), FILE_BYTES), path)
        except (OSError, ValueError) as error:
            reason = f"{clean(str(path))} cannot be read: {describe(error)}"
            if is_of_others(path):
                problems.disable(ENV_FILE, str(path), reason)
            else:
                problems.add(ENV_FILE, named, reason)


def _default_documents(root: Path, problems: Problems) -> Iterator[tuple[Path, Assignments]]:
    """Yield those of Rails' files that can be read; one that is missing or private is not a problem."""
    for path in (root / name for name in MASTODON_FILES):
        try:
            yield path, parse(read_foreign(path, FILE_BYTES), path)
        except (FileNotFoundError, NotADirectoryError):
            continue
        except (OSError, ValueError) as error:
            if not (isinstance(error, OSError) and error.errno == errno.EACCES):
                problems.disable(ENV_FILE, str(path), f"{clean(str(path))} cannot be read: {describe(error)}")


def _expand(
    assignments: Assignments,
    environ: Mapping[str, str],
    above: Layer,
    version: Callable[[], MastodonVersion | None],
) -> dict[str, str | Defect]:
    # The rest of the environment is not for Mastodon's user: `SMTP_LOGIN=$NAME` would send it to any server.
    environ = {name: text for name, text in environ.items() if names.may_be_put_into_mastodons(name)}
    found = {assignment.name for assignment in assignments}
    wanted = {name for name in found if names.is_taken_from_mastodon(name) and (name not in above or name == _URL)}
    has_escapes = any("\\" in assignment.text for assignment in needed(assignments, wanted, environ))
    known = version() if has_escapes else None
    return expand(assignments, wanted, environ, is_dotenv_2_7=known is not None and known.branch_key[0] == 3)  # noqa: PLR2004


def _find_version(root: Path, above: Layer, find: FindVersion | None) -> MastodonVersion | None:
    given = above.get(_VERSION)
    try:
        if given is not None and not given.is_blank:
            return parse_version(given.text)
        return find(root, {}) if find else None
    except (ValueError, CheckError):  # reported where the version is needed
        return None


def _is_440(version: MastodonVersion | None) -> bool:
    return version is not None and version.asked.partition("-")[0] == "4.4.0"


def _is_off(url: str, version: Callable[[], MastodonVersion | None]) -> bool:
    """Whether Mastodon takes the text of `UPDATE_CHECK_URL` for none."""
    if not url.strip():
        return True
    return _unquoted(url).strip().lower() in _OFF_IN_440 and _is_440(version())


def _without_yaml_quotes(name: str, text: str, version: Callable[[], MastodonVersion | None]) -> str:
    if name.startswith(_NOT_YAML) or _unquoted(text) == text:
        return text
    return text if name in _YAML_IN_440 and not _is_440(version()) else _unquoted(text)


def _unquoted(text: str) -> str:
    """Drop one pair of quotes, as YAML does."""
    inner = text.strip()
    is_quoted = len(inner) >= len("''") and inner[0] in "'\"" and inner[0] == inner[-1]
    return inner[1:-1] if is_quoted else text
