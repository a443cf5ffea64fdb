"""The record of what `setup` has done on this host, written before it is done: `setup --undo` undoes that.

Only root can read the file; this program writes it and reads it strictly.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

from mastodon_update_check.domain.text import clean
from mastodon_update_check.errors import SetupError
from mastodon_update_check.files.own import replace_file
from mastodon_update_check.host.machine import Account, Machine, Place
from mastodon_update_check.install.database import Server

_FORM: Final = 1
_BYTES: Final = 64 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """The things to undo, and the answers of the administrator."""

    root: Path
    server: Server | None
    """The server with the role."""
    files: tuple[Path, ...]
    """The files that belong to this program alone."""
    started: str
    """The unit that is enabled and started."""
    is_settled: bool = False
    """Whether pending notices of the first start were sent or marked as sent."""
    release_details: str = ""
    """The answer about release details: `github`, `off`, or nothing before the question."""

    def to_text(self) -> str:
        """Return the text of the file."""
        return json.dumps({"form": _FORM, **asdict(self)}, indent=2, default=str) + "\n"


def read_manifest(path: Path) -> Manifest | None:
    """Return the record; None if nothing was done here.

    Raises:
        SetupError: the file cannot be read.
    """
    try:
        with path.open("rb") as file:
            document = json.loads(file.read(_BYTES))
        return _read(document)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise SetupError(f"{path}, the record of setup, cannot be read: {error}") from error


def keep_manifest(manifest: Manifest, machine: Machine, place: Place, account: Account) -> None:
    """Record what is going to be done.

    Raises:
        SetupError: the record cannot be written.
    """
    try:
        machine.require_own_directory(place.settings_directory, 0o750, account.gid)
        replace_file(place.manifest, manifest.to_text().encode())
    except OSError as error:
        raise SetupError(f"{place.manifest} cannot be written: {clean(str(error))}") from error


def merge(before: Manifest | None, now: Manifest) -> Manifest:
    """Return everything to undo after this run and those before it."""
    if before is None:
        return now
    files = dict.fromkeys((*before.files, *now.files))
    return replace(now, files=tuple(files), server=now.server or before.server, is_settled=before.is_settled)


def _read(document: Mapping[str, Any]) -> Manifest:
    if document["form"] != _FORM:
        raise ValueError("it was written by another version of this program")
    return Manifest(
        root=Path(document["root"]),
        server=Server(**document["server"]) if document["server"] else None,
        files=tuple(map(Path, document["files"])),
        started=str(document["started"]),
        is_settled=document["is_settled"] is True,
        release_details=str(document.get("release_details", "")),
    )
