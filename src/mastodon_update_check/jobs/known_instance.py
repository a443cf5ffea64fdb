"""The instance when `LOCAL_DOMAIN` is lost or changed in Mastodon's files, which another user writes."""

from mastodon_update_check.config import Settings
from mastodon_update_check.errors import UpdateCheckError
from mastodon_update_check.ledger.ledger import Ledger
from mastodon_update_check.ledger.location import find_location


def with_known_instance(settings: Settings) -> Settings:
    """Return settings for the one instance that the ledger knows, unless the administrator has set `LOCAL_DOMAIN`.

    Under another name every notice would be sent again, and without any name none would be. Mastodon's own domain can
    never change. A ledger in PostgreSQL may have servers of several nodes: a new name in Mastodon's files is one of
    them.
    """
    is_foreign = "LOCAL_DOMAIN" in settings.foreign
    if not (settings.instance_is_assumed or is_foreign):
        return settings
    try:
        location = find_location(settings.ledger)
        if not location.exists() or (is_foreign and location.is_shared):
            return settings
        with Ledger.open(location, settings.instance, verify=False) as ledger:
            known = set(ledger.instances())
    except UpdateCheckError:  # reported where the ledger is used
        return settings
    if is_foreign and settings.instance in known:
        return settings
    known -= {settings.instance}
    return settings.for_instance(*known) if len(known) == 1 else settings
