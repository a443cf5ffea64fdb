"""Secrets in files of their own: `NAME_FILE`, and systemd's credentials (systemd.exec, `LoadCredential=`).

Only the environment and our own file may name such files. The owner of Mastodon's files could name one that only this
program can read, and a mail server to send it to.
"""

from collections.abc import Container, Mapping
from pathlib import Path

from mastodon_update_check.config import names
from mastodon_update_check.config.found import ENVIRONMENT, Found, Layer, Problems, UnexpectedValueError, usable
from mastodon_update_check.config.kinds import parse_path
from mastodon_update_check.config.reading import read_secret, why
from mastodon_update_check.domain.text import clean

DIRECTORY = "CREDENTIALS_DIRECTORY"


def with_secret_files(layer: Layer, above: Container[str], problems: Problems) -> Layer:
    """Return `layer` with each `NAME_FILE` replaced by a `NAME`, unless `above` has that already."""
    named = {name: found for name, found in layer.items() if names.target(name) == name}
    for file_name, file in layer.items():
        name = names.target(file_name)
        if name == file_name or name in above:
            continue
        if name in named and not (named[name].is_blank or file.is_blank):
            problems.add(file_name, file, f"{name} is set as well: remove one of them", about=name)
        elif file.is_blank:
            named.setdefault(name, file)
        elif (found := _secret(name, file_name, file, problems)) is not None:
            named[name] = found
    return usable(named, problems)


def credentials(environ: Mapping[str, str], above: Container[str], problems: Problems) -> Layer:
    """Return the secrets that systemd passes, except those that `above` has already.

    Variables of other packages' sinks are among them, since any of those may be a secret; whether such a sink is
    installed is not checked here.
    """
    if not environ.get(DIRECTORY):
        return {}
    found = {}
    for path in _files(Path(environ[DIRECTORY]), problems):
        name = path.name if names.is_secret(path.name) else path.name.upper()
        if name in above or path.name != path.name.lower():
            continue
        if names.is_secret(name) or names.strangers([name]):
            place = f"credential {path.name}"
            try:
                found[name] = Found(read_secret(path), place)
            except (OSError, ValueError) as error:
                problems.add(name, Found("", place), f"the credential cannot be read: {why(error)}")
    return usable(found, problems)


def _secret(name: str, file_name: str, file: Found, problems: Problems) -> Found | None:
    """Return the secret in the file that a variable names; None, and a problem, when it cannot be read."""
    try:
        path = parse_path(file.text)
        return Found(read_secret(path), f"{path}, which {file_name} names")
    except UnexpectedValueError as error:
        problems.refuse(file_name, file, error, clean(file.text))
    except (OSError, ValueError) as error:
        problems.add(file_name, file, f"{clean(str(path))} cannot be read: {why(error)}")
    problems.names.add(name)
    return None


def _files(directory: Path, problems: Problems) -> list[Path]:
    try:
        return sorted(directory.iterdir())
    except OSError as error:
        problems.add(DIRECTORY, Found("", ENVIRONMENT), f"the directory cannot be read: {why(error)}")
        return []
