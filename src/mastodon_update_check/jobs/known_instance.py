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
        used_here = {path.stem for path in _state_directory(settings).glob("*.lock")} if location.is_shared else None
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


def presence_of(settings: Settings) -> FileLock:
    """Return the lock that a running daemon holds on this machine; for a ledger in PostgreSQL in our own directory."""
    if not find_location(settings.ledger).is_shared:
        return FileLock(f"{Path(settings.ledger).resolve()}.lock")
    return FileLock(str(_state_directory(settings) / f"{settings.instance}.lock"))


def remember_instance(settings: Settings) -> None:
    """Leave the lock file of the instance in our own directory, which commands make sure of, too."""
    directory = _state_directory(settings)
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    (directory / f"{settings.instance}.lock").touch(mode=0o600)


def _state_directory(settings: Settings) -> Path:
    return state_directory(os.environ, settings.config_file)
