"""Secrets that stand in files of their own: `NAME_FILE`, and systemd's credentials (systemd.exec, `LoadCredential=`).

Only the environment and our own file may name such files. Mastodon's file may not: its owner could name a file that
only we can read, and a mail server to send it to.
"""

from collections.abc import Container, Mapping
from pathlib import Path

from mastodon_update_check.config import names
from mastodon_update_check.config.found import Found, Layer, Problems, usable
from mastodon_update_check.config.kinds import parse_path
from mastodon_update_check.config.reading import read_secret, why

DIRECTORY = "CREDENTIALS_DIRECTORY"


def with_secret_files(layer: Layer, above: Container[str], problems: Problems) -> Layer:
    """Return `layer` with each `NAME_FILE` replaced by a `NAME`, unless `above` has that already."""
    named = {name: found for name, found in layer.items() if names.target(name) == name}
    for file_name, file in layer.items():
        name = names.target(file_name)
        if name == file_name or name in above:
            continue
        if name in named and not (named[name].is_blank or file.is_blank):
            problems.add(file_name, file.place, f"stands beside {name}: only one of them is allowed", about=name)
        elif file.is_blank:
            named.setdefault(name, file)
        elif (found := _secret(name, file_name, file, problems)) is not None:
            named[name] = found
    return usable(named, problems)


def credentials(environ: Mapping[str, str], above: Container[str], problems: Problems) -> Layer:
    """Return the secrets that systemd hands over, but those that `above` has already.

    Variables of other packages' sinks are among them, since any of those may be a secret; whose they are is not
    asked here.
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
            except OSError as error:
                problems.add(name, place, f"cannot be read: {why(error)}")
            except ValueError as error:
                problems.add(name, place, str(error))
    return usable(found, problems)


def _secret(name: str, file_name: str, file: Found, problems: Problems) -> Found | None:
    """Return the secret in the file that a variable names; None, and a problem, when it cannot be had."""
    try:
        path = parse_path(file.text)
    except ValueError as error:
        problems.add(file_name, file.place, str(error), about=name)
        return None
    try:
        return Found(read_secret(path), f"{path}, which {file_name} names")
    except OSError as error:
        defect = f"names a file that cannot be read, {path}: {why(error)}"
    except ValueError as error:
        defect = f"names a file, {path}, that {error}"
    problems.add(file_name, file.place, defect, about=name)
    return None


def _files(directory: Path, problems: Problems) -> list[Path]:
    try:
        return sorted(directory.iterdir())
    except OSError as error:
        problems.add(DIRECTORY, "environment", f"names a directory that cannot be read: {why(error)}")
        return []
