"""A ledger as version 0.1.0 wrote it, made from one of the present schema."""

from ledger.locations import query
from mastodon_update_check.ledger.location import Location
from mastodon_update_check.ledger.postgres_location import PostgresLocation

FORMER = 2
"""The schema of 0.1.0."""
TO_FORMER = (
    "ALTER TABLE message ADD COLUMN claim TEXT",
    "ALTER TABLE message ADD COLUMN lease_until TEXT",
    "CREATE TABLE turn (instance TEXT, settings TEXT, host TEXT, token TEXT, checking INTEGER, until_at TEXT)",
    "DROP INDEX attempt_open",
    "DROP TABLE owner",
    "DROP TABLE request",
    "DELETE FROM meta WHERE key = 'compatibility'",
)
"""What leads from the present schema to that one."""


def lead_back(place: Location) -> None:
    """Give a ledger the schema of 0.1.0."""
    for statement in TO_FORMER:
        query(place, statement)
    set_version(place, FORMER)


def set_version(place: Location, version: int) -> None:
    """Let another program have written a ledger."""
    if isinstance(place, PostgresLocation):
        query(place, "UPDATE meta SET value = ? WHERE key = 'schema'", str(version))
    else:
        query(place, f"PRAGMA user_version = {version}")
