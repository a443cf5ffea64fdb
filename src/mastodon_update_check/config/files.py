"""The two files of settings: our own, and the one that belongs to Mastodon."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from mastodon_update_check.config import names
from mastodon_update_check.config.dotenv import Document, parse
from mastodon_update_check.config.expansion import Defect, expand
from mastodon_update_check.config.found import Found, Layer, Problems, usable
from mastodon_update_check.config.kinds import parse_path
from mastodon_update_check.config.reading import FILE_BYTES, read_regular, why
from mastodon_update_check.config.secret_files import with_secret_files
from mastodon_update_check.config.variables import MASTODON_ROOT
from mastodon_update_check.domain.text import clean

_CONFIG = "UPDATE_CHECK_CONFIG"
_ROOT = "UPDATE_CHECK_MASTODON_ROOT"
_ENV_FILE = "UPDATE_CHECK_MASTODON_ENV_FILE"
_URL = "UPDATE_CHECK_URL"
# Mastodon 4.4 and later read all but the database's variables through YAML.
_NOT_YAML = ("DATABASE_", "DB_")
_OFF_IN_YAML = frozenset({"", "~", "null", "false"})


@dataclass(frozen=True, slots=True)
class SettingsFile:
    """What one file says."""

    path: Path | None = None
    """The file, if it was read."""
    layer: Layer = field(default_factory=dict)
    silences_mastodon: bool = False
    """Whether it switches the check off that is built into Mastodon."""


def own_file(environ: Mapping[str, str], above: Layer, default: Path, problems: Problems) -> SettingsFile:
    """Read `UPDATE_CHECK_CONFIG`, else the default one, which may be missing."""
    given = _path(above.get(_CONFIG))
    path = given or default
    document = _document(path, _CONFIG, above, () if given else (FileNotFoundError,), problems)
    if document is None:
        return SettingsFile()
    for line in document.bad_exports:
        defect = "exports a variable that the file does not set: write export NAME=value"
        problems.sentences.append(f"{clean(str(path))}, line {line}, {defect}.")

    def wanted(name: str) -> bool:
        return name == _CONFIG or (names.is_relevant(name) and names.target(name) not in above)

    layer = _layer(path, document, wanted, environ, problems)
    if _CONFIG in layer:
        problems.add(_CONFIG, layer.pop(_CONFIG).place, "comes too late here: set it in the environment")
    return SettingsFile(path, with_secret_files(layer, above, problems))


def mastodons_file(environ: Mapping[str, str], above: Layer, problems: Problems) -> SettingsFile:
    """Read what is ours to know from `UPDATE_CHECK_MASTODON_ENV_FILE`; the default one only if it can be read."""
    given = _path(above.get(_ENV_FILE))
    path = given or (_path(above.get(_ROOT)) or MASTODON_ROOT) / ".env.production"
    document = _document(path, _ENV_FILE, above, () if given else (OSError,), problems)
    if document is None:
        return SettingsFile()
    # What else is there is not Mastodon's to know, least of all when root runs a command: `SMTP_LOGIN=$NAME` would send
    # it to a server that the file's owner chooses.
    environ = {name: text for name, text in environ.items() if names.may_be_put_into_mastodons(name)}
    is_off = _is_off(expand(document, {_URL}, environ).get(_URL))

    def wanted(name: str) -> bool:
        return names.is_taken_from_mastodon(name) and name not in above and not (is_off and name == _URL)

    layer = _layer(path, document, wanted, environ, problems)
    unquoted = {
        name: found if name.startswith(_NOT_YAML) else replace(found, text=_without_yaml_quotes(found.text))
        for name, found in layer.items()
    }
    return SettingsFile(path, usable(unquoted, problems), is_off)


def _path(found: Found | None) -> Path | None:
    """Return the path that a variable gives; None without one. What is wrong with it is said by its kind."""
    if found is None or found.is_blank:
        return None
    try:
        return parse_path(found.text)
    except ValueError:
        return None


def _document(
    path: Path, name: str, above: Layer, forgiven: tuple[type[OSError], ...], problems: Problems
) -> Document | None:
    """Return the file that a variable names; None, and a problem unless `forgiven`, when it cannot be read."""
    try:
        return parse(read_regular(path, FILE_BYTES))
    except forgiven:
        return None
    except OSError as error:
        defect = f"cannot be read: {why(error)}"
    except ValueError as error:
        defect = str(error)
    place = above[name].place if name in above else "default"
    problems.add(name, place, f"names a file, {clean(str(path))}, that {defect}")
    return None


def _layer(
    path: Path,
    document: Document,
    wanted: Callable[[str], bool],
    environ: Mapping[str, str],
    problems: Problems,
) -> dict[str, Found]:
    """Return the wanted variables of a file, expanded; each with the line of its name."""
    lines = {assignment.name: assignment.line for assignment in document.assignments}
    layer = {}
    for name, value in expand(document, set(filter(wanted, lines)), environ).items():
        place = f"{path}, line {lines[name]}"
        if isinstance(value, Defect):
            problems.add(name, place, value.value, about=names.target(name))
        else:
            layer[name] = Found(value, place)
    return layer


def _is_off(url: str | Defect | None) -> bool:
    """Whether Mastodon takes the text of `UPDATE_CHECK_URL` for none."""
    return isinstance(url, str) and _without_yaml_quotes(url).strip().lower() in _OFF_IN_YAML


def _without_yaml_quotes(text: str) -> str:
    """Drop one pair of quotes, as YAML does."""
    inner = text.strip()
    is_quoted = len(inner) >= len("''") and inner[0] in "'\"" and inner[0] == inner[-1]
    return inner[1:-1] if is_quoted else text
