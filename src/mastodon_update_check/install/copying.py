"""The copy of Mastodon's settings: root reads its file, and the service finds the lines that it needs.

Its owner is another user, and may have put anything there: see `foreign`. Whatever goes wrong is said, and keeps the
service from nothing: a copy from before stays, and without one there is an empty one.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from mastodon_update_check.config.defaults import MASTODON_ROOT
from mastodon_update_check.config.excerpt import LOGINS, excerpt, own_values
from mastodon_update_check.config.reading import FILE_BYTES
from mastodon_update_check.domain.text import clean
from mastodon_update_check.errors import SetupError
from mastodon_update_check.files.atomic import replace_file
from mastodon_update_check.files.foreign import ForeignDirectory, describe
from mastodon_update_check.host.machine import Machine
from mastodon_update_check.host.names import SERVICE_USER, Place
from mastodon_update_check.install.environment_file import as_dotenv, examine_file
from mastodon_update_check.install.found import EnvironmentFile
from mastodon_update_check.install.manifest import read_manifest

ENV_FILE: Final = ".env.production"
ROOT: Final = "UPDATE_CHECK_MASTODON_ROOT"
COPY: Final = "UPDATE_CHECK_MASTODON_ENV_FILE"
DATABASE: Final = "UPDATE_CHECK_DATABASE_URL"
_NAMES: Final = frozenset({ROOT, COPY, DATABASE, f"{DATABASE}_FILE"})


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyReport:
    """What came of it, in a sentence without a full stop."""

    sentence: str
    is_trouble: bool = False


def copy_settings(machine: Machine, place: Place) -> CopyReport:
    """Copy the needed lines to where the service reads them.

    Raises:
        OSError: the copy cannot be written.
    """
    own = own_values(place.config_file, _NAMES)
    if own.get(COPY) != str(place.mastodon_copy):
        return CopyReport(sentence=f"nothing is copied: {place.config_file} does not set {COPY}={place.mastodon_copy}")
    account = machine.service_account
    if account is None:
        return CopyReport(sentence=f"nothing is copied: there is no user {SERVICE_USER}", is_trouble=True)
    machine.require_own_directory(place.copies, 0o755, -1)
    file = Path(own.get(ROOT, str(MASTODON_ROOT))) / ENV_FILE
    found = _read(machine, place, file, with_login=not own.keys() & {DATABASE, f"{DATABASE}_FILE"})
    trouble = "; ".join(found.troubles)
    if trouble and place.mastodon_copy.exists():
        return CopyReport(sentence=f"{trouble}; the copy from before stays", is_trouble=True)
    head = f"# {trouble}.\n" if trouble else ""
    head += f"# Copied from {found.sources}; what is changed here is lost.\n"
    content = (head + found.lines).encode(errors="surrogateescape")
    replace_file(place.mastodon_copy, content, mode=0o640, group=account.gid)
    if trouble:
        return CopyReport(sentence=f"{trouble}; the service starts without it", is_trouble=True)
    said = f"what is needed of {found.sources} is copied to {place.mastodon_copy}"
    if found.left_out:
        said += f", but for {found.left_out}, which no line there can hold: set it in {place.config_file}"
    return CopyReport(sentence=said, is_trouble=bool(found.left_out))


def read_env(machine: Machine, root: Path) -> str:
    """Return Mastodon's file of settings.

    Raises:
        OSError: it is missing, or not what it must be.
        ValueError: it is too large.
    """
    with ForeignDirectory(machine.real(root), machine.root_uid) as directory:
        return directory.read_secrets(ENV_FILE, FILE_BYTES)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    sources: str
    lines: str = field(repr=False)
    left_out: str
    troubles: tuple[str, ...]


def _read(machine: Machine, place: Place, file: Path, *, with_login: bool) -> _Found:
    """Read Mastodon's file, and those that its unit names: they go before it, so they come after it."""
    lines = ""
    examined: tuple[EnvironmentFile, ...] = ()
    troubles: list[str] = []
    try:
        examined = _environment_files(machine, place)
    except SetupError as error:
        troubles.append(clean(str(error)))
    troubles += [f"{one.path} cannot be copied: {one.trouble}" for one in examined if one.trouble]
    given = {name: text for one in examined for name, text in one.variables.items() if with_login or name not in LOGINS}
    try:
        lines = excerpt(read_env(machine, file.parent), with_login=with_login)
    except (OSError, ValueError) as error:
        if not (given and isinstance(error, FileNotFoundError)):  # else all of it is in the others
            troubles.append(f"{clean(str(file))} cannot be copied: {describe(error)}")
    added, unfit = as_dotenv(given)
    return _Found(
        sources=" and ".join(clean(str(path)) for path in (file, *(one.path for one in examined))),
        lines=lines + added,
        left_out=", ".join(unfit),
        troubles=tuple(troubles),
    )


def _environment_files(machine: Machine, place: Place) -> tuple[EnvironmentFile, ...]:
    """Read those that `setup` has found."""
    manifest = read_manifest(place.manifest)
    return tuple(examine_file(machine, file) for file in manifest.environment_files) if manifest else ()
