"""How the ledger writes instants: ISO 8601, UTC, milliseconds; they sort as text."""

from datetime import UTC, datetime

from mastodon_update_check.ledger.problems import reading


def stamp(instant: datetime) -> str:
    """Write an aware instant."""
    return instant.astimezone(UTC).isoformat(timespec="milliseconds")


def read_stamp(text: str | None) -> datetime | None:
    """Read back what `stamp` wrote."""
    with reading("an instant"):
        return None if text is None else datetime.fromisoformat(text)
