"""Mastodon's files of settings, which belong to another user: an unusable value disables only what needs it.

They are the files that Rails loads, or the one that `UPDATE_CHECK_MASTODON_ENV_FILE` names. All of them are read as one
document, in which the first file that sets a name wins.
"""

import errno
import os
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from mastodon_update_check.config import variables
from mastodon_update_check.config.dotenv import Assignments, Defect, expand, merge, parse
from mastodon_update_check.config.kinds import parse_path
from mastodon_update_check.config.settings import MASTODON_FILES, MASTODON_ROOT
from mastodon_update_check.config.variables import FILE_BYTES, Found, Layer, Problems, usable
from mastodon_update_check.domain.text import clean
from mastodon_update_check.files.foreign import ForeignDirectory, describe, follow_trusted, read_foreign
from mastodon_update_check.files.own import is_null

ENV_FILE: Final = "UPDATE_CHECK_MASTODON_ENV_FILE"
ROOT: Final = "UPDATE_CHECK_MASTODON_ROOT"
USUAL_FILE: Final = ".env.production"
_URL: Final = "UPDATE_CHECK_URL"


@dataclass(frozen=True, slots=True)
class MastodonFiles:
    """The content of Mastodon's files."""

    paths: tuple[Path, ...]
    layer: dict[str, Found] = field(repr=False)
    silences_mastodon: bool
    """Whether they disable the check that is built into Mastodon."""
    is_foreign: bool
    """Whether another user decides what is in them, and so what is missing."""


def read_mastodon_files(environ: Mapping[str, str], above: Layer, problems: Problems) -> MastodonFiles:
    """Read the variables that may be taken from Mastodon's files, except those that `above` has already."""
    root = path_of(above.get(ROOT)) or MASTODON_ROOT
    documents = dict(_documents(root, above, problems))
    merged = merge(documents.values())
    wanted = {each.name for each in merged if variables.is_taken_from_mastodon(each.name) and each.name not in above}
    if "DATABASE_URL" in above and not above["DATABASE_URL"].is_blank:  # the others would complete it
        wanted = {name for name in wanted if not name.startswith("DB_")}
    # The rest of the environment is not for Mastodon's user: `SMTP_LOGIN=$NAME` would send it to any server.
    passed = {name: text for name, text in environ.items() if variables.may_be_put_into_mastodons(name)}
    is_off = not str(expand(merged, {_URL}, passed).get(_URL, _URL)).strip()
    return MastodonFiles(
        paths=tuple(documents),
        layer=expand_layer(merged, wanted - ({_URL} if is_off else set()), passed, problems, is_trusted=False),
        silences_mastodon=is_off,
        is_foreign=(bool(documents) or is_of_others(root)) and not any(map(is_null, documents)),
    )


def expand_layer(
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
    return usable(layer, problems)


def path_of(found: Found | None) -> Path | None:
    """Return the path that a variable gives; None without one. Its own parser reports what is wrong with it."""
    if found is None or found.is_blank:
        return None
    try:
        return parse_path(found.text)
    except ValueError:
        return None


def is_of_others(path: Path) -> bool:
    """Return whether a user other than root and this process's owns the nearest directory of `path` that exists."""
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
                problems.disable(ENV_FILE, reason)
            else:
                problems.add(ENV_FILE, named, reason)


def _default_documents(root: Path, problems: Problems) -> Iterator[tuple[Path, Assignments]]:
    """Yield those of Rails' files that can be read; one that is missing or private is not a problem."""
    for path, found in read_rails_files(root).items():
        if not isinstance(found, OSError | ValueError):
            yield path, found
        elif getattr(found, "errno", None) not in {errno.ENOENT, errno.ENOTDIR, errno.EACCES}:
            problems.disable(ENV_FILE, f"{clean(str(path))} cannot be read: {describe(found)}")


def read_rails_files(
    root: Path, place: Path | None = None, trusted_uid: int = 0
) -> dict[Path, Assignments | OSError | ValueError]:
    """Return the assignments of Rails' files in the order of their precedence, or why one cannot be read.

    A file that is missing is left out; a tree that cannot be opened is one error. `place` is where the tree really is.
    """
    found: dict[Path, Assignments | OSError | ValueError] = {}
    try:
        with ForeignDirectory((place or root).absolute(), trusted_uid) as directory:
            for path in (root / name for name in MASTODON_FILES):
                try:
                    found[path] = parse(directory.read_secrets(path.name, FILE_BYTES), path)
                except FileNotFoundError:
                    continue
                except (OSError, ValueError) as error:
                    found[path] = error
    except OSError as error:
        found[root / USUAL_FILE] = error
    return found
