"""The one place where the time of day is asked."""

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]
"""Returns the present instant, aware, UTC."""


def system_clock() -> datetime:
    """Return the present instant."""
    return datetime.now(UTC)
