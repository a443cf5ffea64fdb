"""The sources of settings in their order: environment, systemd credentials, our own file, Mastodon's files.

Each is one layer. A layer holds only what the layers above it do not: a hidden value is neither expanded nor opened,
and so cannot be wrong.

Only the environment and our own file may name files with secrets (`NAME_FILE`): the owner of Mastodon's files could
name one that only this program can read, and a mail server to send it to.
"""

from collections import ChainMap
from collections.abc import Container, Mapping
from dataclasses import dataclass
from pathlib import Path

from mastodon_update_check.config import variables
from mastodon_update_check.config.dotenv import Assignments, parse
from mastodon_update_check.config.kinds import UnexpectedValueError, parse_path
from mastodon_update_check.config.mastodon_files import MastodonFiles, expand_layer, path_of, read_mastodon_files
from mastodon_update_check.config.settings import BLANK_COUNTS
from mastodon_update_check.config.variables import ENVIRONMENT, FILE_BYTES, VALUE_BYTES, Found, Layer, Problems, usable
from mastodon_update_check.domain.text import clean
from mastodon_update_check.files.foreign import describe
from mastodon_update_check.files.own import is_null, read_own

_CREDENTIALS = "CREDENTIALS_DIRECTORY"
_CONFIG = "UPDATE_CHECK_CONFIG"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """The content of all sources, read once."""

    found: Layer
    """Every variable that is set; a blank one is not, except where blank is a value."""
    strangers: Layer
    """The variables of the environment and of our own file that begin like ours, but have no fixed name."""
    config_file: Path | None
    mastodon: MastodonFiles


def gather(environ: Mapping[str, str], config_file: Path, problems: Problems) -> Sources:
    """Read all sources, our own file at `config_file` by default; what cannot be read is added to `problems`."""
    relevant = {name: Found(text, ENVIRONMENT) for name, text in environ.items() if variables.is_relevant(name)}
    environment = _with_secret_files(relevant, (), problems)
    passed = _credentials(environ, environment, problems)
    path, own = _own_file(environ, ChainMap(environment, passed), config_file, problems)
    above = ChainMap(environment, passed, own)
    mastodon = read_mastodon_files(environ, above, problems)
    merged, public = ChainMap(*above.maps, mastodon.layer), ChainMap(environment, own)
    return Sources(
        found={name: each for name, each in merged.items() if not each.is_blank or name in BLANK_COUNTS},
        strangers={name: public[name] for name in variables.strangers(public)},
        config_file=path,
        mastodon=mastodon,
    )


def _own_file(
    environ: Mapping[str, str], above: Layer, default: Path, problems: Problems
) -> tuple[Path | None, dict[str, Found]]:
    """Read `UPDATE_CHECK_CONFIG`, or else the default file, which may be missing; return its path if it was read."""
    named = above.get(_CONFIG)
    given = path_of(named)
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
    return expand_layer(assignments, wanted - {_CONFIG}, environ, problems)


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
