"""The copy of Mastodon's settings: root reads its file, and the service finds the lines that it needs.

Its owner is another user, and may have put anything there: see `foreign`. Whatever goes wrong is said, and keeps the
service from nothing: a copy from before stays, and without one there is an empty one.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from mastodon_update_check.core.text import clean
from mastodon_update_check.foreign import ForeignDirectory
from mastodon_update_check.host.machine import Machine, put_file
from mastodon_update_check.host.names import SERVICE_USER, Place
from mastodon_update_check.settings.excerpt import excerpt, own_values
from mastodon_update_check.settings.reading import FILE_BYTES, why
from mastodon_update_check.settings.variables import MASTODON_ROOT

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
    file = Path(own.get(ROOT, str(MASTODON_ROOT))) / ENV_FILE
    machine.require_own_directory(place.copies, 0o755, -1)
    try:
        lines = excerpt(read_env(machine, file.parent), with_login=not own.keys() & {DATABASE, f"{DATABASE}_FILE"})
    except (OSError, ValueError) as error:
        return _keep(place, account.gid, f"{clean(str(file))} cannot be copied: {describe(error)}")
    put_file(
        place.mastodon_copy,
        f"# Copied from {clean(str(file))}; what is changed here is lost.\n{lines}",
        0o640,
        account.gid,
    )
    return CopyReport(sentence=f"what is needed of {clean(str(file))} is copied to {place.mastodon_copy}")


def read_env(machine: Machine, root: Path) -> str:
    """Return Mastodon's file of settings.

    Raises:
        OSError: it is missing, or not what it must be.
        ValueError: it is too large.
    """
    with ForeignDirectory(machine.real(root), machine.root_uid) as directory:
        return directory.read_secrets(ENV_FILE, FILE_BYTES)


def describe(error: OSError | ValueError) -> str:
    """Return what went wrong, without the path."""
    return clean(why(error).lower() if isinstance(error, OSError) else f"it {error}")


def _keep(place: Place, group: int, trouble: str) -> CopyReport:
    if place.mastodon_copy.exists():
        return CopyReport(sentence=f"{trouble}; the copy from before stays", is_trouble=True)
    put_file(place.mastodon_copy, f"# {trouble}.\n", 0o640, group)
    return CopyReport(sentence=f"{trouble}; the service starts without it", is_trouble=True)
