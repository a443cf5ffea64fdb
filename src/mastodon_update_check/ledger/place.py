"""From what is written in the settings, or on a command line, to the place of a ledger."""

from pathlib import Path
from typing import Final

from mastodon_update_check.errors import SettingsError
from mastodon_update_check.ledger.engine import Place
from mastodon_update_check.ledger.sqlite import FilePlace

SCHEMES: Final = ("postgresql://", "postgres://")


def find_place(text: str, origin: str = "UPDATE_CHECK_LEDGER") -> Place:
    """Return the place that a path, or the URL of a PostgreSQL database, stands for.

    Raises:
        SettingsError: it is a URL that cannot be read.
    """
    if not text.startswith(SCHEMES):
        return FilePlace(Path(text))
    from mastodon_update_check.ledger.postgres_address import PostgresAddress
    from mastodon_update_check.ledger.postgres_place import PostgresPlace
    from mastodon_update_check.postgres.login import LoginError

    try:
        return PostgresPlace(PostgresAddress.parse(text, origin))
    except LoginError as error:
        raise SettingsError([str(error)]) from error
