"""The sources of settings in their order: environment, systemd credentials, our own file, Mastodon's files.

Each is one layer. A layer holds only what the layers above it do not: a hidden value is neither expanded nor opened,
and so cannot be wrong.
"""

from collections import ChainMap
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mastodon_update_check.config import names
from mastodon_update_check.config.dotenv import Document, parse
from mastodon_update_check.config.expansion import Defect, expand
from mastodon_update_check.config.found import ENVIRONMENT, Found, Layer, Problems
from mastodon_update_check.config.mastodon_files import FindVersion, MastodonFiles, path_of, read_mastodon_files
from mastodon_update_check.config.reading import FILE_BYTES, is_null, read_regular, why
from mastodon_update_check.config.secret_files import credentials, with_secret_files
from mastodon_update_check.config.variables import BLANK_COUNTS
from mastodon_update_check.domain.text import clean

_CONFIG = "UPDATE_CHECK_CONFIG"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """The content of all sources, read once."""

    found: Layer
    """Every variable that is set; a blank one is not, except where blank is a value."""
    strangers: Layer
    """The variables of the environment and of our own file that begin like ours, but have no fixed name."""
    config_file: Path | None
    """Our own file, if it was read."""
    mastodon: MastodonFiles


def gather(
    environ: Mapping[str, str], config_file: Path, problems: Problems, find_version: FindVersion | None = None
) -> Sources:
    """Read all sources, our own file at `config_file` by default; what cannot be read is added to `problems`."""
    relevant = {name: Found(text, ENVIRONMENT) for name, text in environ.items() if names.is_relevant(name)}
    environment = dict(with_secret_files(relevant, (), problems))
    passed = dict(credentials(environ, environment, problems))
    path, own = _own_file(environ, ChainMap(environment, passed), config_file, problems)
    above = ChainMap(environment, passed, dict(own))
    mastodon = read_mastodon_files(environ, above, problems, find_version)
    merged = ChainMap(*above.maps, dict(mastodon.layer))
    public = ChainMap(environment, dict(own))
    return Sources(
        found={name: found for name, found in merged.items() if not found.is_blank or name in BLANK_COUNTS},
        strangers={name: public[name] for name in names.strangers(public)},
        config_file=path,
        mastodon=mastodon,
    )


def _own_file(environ: Mapping[str, str], above: Layer, default: Path, problems: Problems) -> tuple[Path | None, Layer]:
    """Read `UPDATE_CHECK_CONFIG`, or else the default file, which may be missing; return its path if it was read."""
    named = above.get(_CONFIG)
    given = path_of(named)
    path = given or default
    if is_null(path):
        return None, {}
    try:
        document = parse(read_regular(path, FILE_BYTES))
    except (OSError, ValueError) as error:
        if given or not isinstance(error, FileNotFoundError):
            problems.add(_CONFIG, named or Found("", "default"), f"{clean(str(path))} cannot be read: {why(error)}")
        return None, {}
    return path, with_secret_files(_layer(path, document, environ, above, problems), above, problems)


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
