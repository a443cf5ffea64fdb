"""Find the location of a ledger from the text of a setting or an argument."""

from typing import TYPE_CHECKING, Final, TypeAlias

from mastodon_update_check.errors import SettingsError

if TYPE_CHECKING:
    from mastodon_update_check.ledger.postgres_location import PostgresLocation
    from mastodon_update_check.ledger.sqlite import SqliteLocation

Location: TypeAlias = "SqliteLocation | PostgresLocation"
"""Where a ledger is kept; `str()` of it is fit to be shown."""
SCHEMES: Final = ("postgresql://", "postgres://")


def find_location(text: str, origin: str = "UPDATE_CHECK_LEDGER", *, token: str = "") -> Location:
    """Return the location that a path or a URL of PostgreSQL stands for. Raises `SettingsError` for a wrong URL."""
    if not text.startswith(SCHEMES):
        from pathlib import Path

        from mastodon_update_check.ledger.sqlite import SqliteLocation

        return SqliteLocation(Path(text))
    from mastodon_update_check.ledger.postgres_location import PostgresLocation
    from mastodon_update_check.postgres.login import LoginError

    try:
        return PostgresLocation.parse(text, origin, token=token)
    except LoginError as error:
        raise SettingsError([str(error)]) from error
