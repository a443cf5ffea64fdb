"""How the ledger writes instants: ISO 8601, UTC, milliseconds; they sort as text."""

from datetime import UTC, datetime


def stamp(instant: datetime) -> str:
    """Write an aware instant."""
    return instant.astimezone(UTC).isoformat(timespec="milliseconds")


def read_stamp(text: str | None) -> datetime | None:
    """Read back what `stamp` wrote."""
    return None if text is None else datetime.fromisoformat(text)
