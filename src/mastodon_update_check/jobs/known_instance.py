"""The instance when `LOCAL_DOMAIN` is lost: Mastodon's files, which another user writes, may no longer set it."""

from mastodon_update_check.config import Settings
from mastodon_update_check.errors import UpdateCheckError
from mastodon_update_check.ledger.ledger import Ledger
from mastodon_update_check.ledger.location import find_location


def with_known_instance(settings: Settings) -> Settings:
    """Return settings for the one instance that the ledger knows, if `LOCAL_DOMAIN` is not set.

    Under another name every notice would be sent again, and without any name none would be.
    """
    if not settings.instance_is_assumed:
        return settings
    try:
        location = find_location(settings.ledger)
        if not location.exists():
            return settings
        with Ledger.open(location, settings.instance, verify=False) as ledger:
            known = set(ledger.instances()) - {settings.instance}
    except UpdateCheckError:  # reported where the ledger is used
        return settings
    return settings.for_instance(*known) if len(known) == 1 else settings
