"""Our own file of settings, which the administrator writes: a mistake in it ends the program, or is a warning."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from mastodon_update_check.config import names
from mastodon_update_check.config.dotenv import Document, parse
from mastodon_update_check.config.expansion import Defect, expand
from mastodon_update_check.config.found import Found, Layer, Problems
from mastodon_update_check.config.mastodon_files import path_of
from mastodon_update_check.config.reading import FILE_BYTES, is_null, read_regular, why
from mastodon_update_check.config.secret_files import with_secret_files
from mastodon_update_check.domain.text import clean

_CONFIG = "UPDATE_CHECK_CONFIG"


@dataclass(frozen=True, slots=True)
class OwnFile:
    """The content of our own file."""

    path: Path | None = None
    """The file, if it was read."""
    layer: Layer = field(default_factory=dict, repr=False)


def read_own_file(environ: Mapping[str, str], above: Layer, default: Path, problems: Problems) -> OwnFile:
    """Read `UPDATE_CHECK_CONFIG`, or else the default file, which may be missing."""
    named = above.get(_CONFIG)
    given = path_of(named)
    path = given or default
    if is_null(path):
        return OwnFile()
    try:
        document = parse(read_regular(path, FILE_BYTES))
    except (OSError, ValueError) as error:
        if given or not isinstance(error, FileNotFoundError):
            problems.add(_CONFIG, named or Found("", "default"), f"{clean(str(path))} cannot be read: {why(error)}")
        return OwnFile()
    return OwnFile(path, with_secret_files(_layer(path, document, environ, above, problems), above, problems))


def _layer(path: Path, document: Document, environ: Mapping[str, str], above: Layer, problems: Problems) -> Layer:
    for line in document.bad_exports:
        sentence = "expected export NAME=value, got the export of a variable that the file does not set"
        problems.sentences.append(f"{clean(str(path))}, line {line}: {sentence}.")
    last = {assignment.name: assignment for assignment in document.assignments}
    places = {name: Found("", f"{path}, line {assignment.line}") for name, assignment in last.items()}
    wanted = {name for name in last if names.is_relevant(name) and names.target(name) not in above}
    for name, assignment in last.items():
        if name in wanted and assignment.is_cut:
            problems.warn(name, places[name], "the # begins a comment: put the value in single quotes to keep its end")
        elif (meant := names.near_miss(name)) is not None:
            problems.warn(name, places[name], f"unknown variable: did you mean {meant}?")
    if _CONFIG in last:
        problems.add(_CONFIG, places[_CONFIG], "can only be set in the environment")
    layer = {}
    for name, value in expand(document, wanted - {_CONFIG}, environ).items():
        if isinstance(value, Defect):
            problems.add(name, places[name], value.value, about=names.target(name))
        else:
            layer[name] = Found(value, places[name].place)
    return layer
