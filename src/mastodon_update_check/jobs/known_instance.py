"""The instance when `LOCAL_DOMAIN` is lost or changed in Mastodon's files, which another user writes."""

import os
from pathlib import Path

from mastodon_update_check.config import Settings
from mastodon_update_check.config.load import state_directory
from mastodon_update_check.errors import UpdateCheckError
from mastodon_update_check.ledger.file_lock import FileLock
from mastodon_update_check.ledger.ledger import Ledger
from mastodon_update_check.ledger.location import find_location


def with_known_instance(settings: Settings) -> Settings:
    """Return settings for the one instance that the ledger knows, unless the administrator has set `LOCAL_DOMAIN`.

    Under another name every notice would be sent again, and without any name none would be. Mastodon's own domain can
    never change. A ledger in PostgreSQL may have other servers, too: of its instances, those that were used on
    this machine count.
    """
    is_foreign = "LOCAL_DOMAIN" in settings.foreign
    if not (settings.instance_is_assumed or is_foreign):
        return settings
    try:
        location = find_location(settings.ledger)
        used_here = _instances_used_here(settings) if location.is_shared else None
        if (is_foreign and used_here == set()) or not location.exists():
            return settings
        with Ledger.open(location, settings.instance, verify=False) as ledger:
            known = set(ledger.instances())
    except UpdateCheckError:  # reported where the ledger is used
        return settings
    if used_here:
        known &= used_here
    if is_foreign and settings.instance in known:
        return settings
    known -= {settings.instance}
    return settings.for_instance(*known) if len(known) == 1 else settings


def presence_path(settings: Settings) -> Path:
    """Return the lock file of the daemon on this machine whose ledger is in PostgreSQL."""
    return state_directory(os.environ, settings.config_file) / f"{settings.instance}.lock"


def presence_of(settings: Settings) -> FileLock:
    """Return the lock that a running daemon holds on this machine: in a file, it is the ledger's own."""
    location = find_location(settings.ledger)
    if not location.is_shared:
        return FileLock(f"{Path(settings.ledger).resolve()}.lock")
    return FileLock(str(presence_path(settings)))


def remember_instance(settings: Settings) -> None:
    """Leave the lock file of the instance, which commands make sure of, too."""
    path = presence_path(settings)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.touch(mode=0o600)


def _instances_used_here(settings: Settings) -> set[str]:
    return {path.stem for path in presence_path(settings).parent.glob("*.lock")}
