"""What is under way, and until when it may be: the watchdog is fed only while nothing is past its own time-out."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta


class Operations:
    """The operations under way, by name; one thread uses each name, any thread may ask."""

    def __init__(self) -> None:
        self._ends: dict[str, float] = {}

    @contextmanager
    def running(self, name: str, limit: timedelta) -> Iterator[None]:
        """Count as under way for the duration of the block, at most for `limit`."""
        self._ends[name] = time.monotonic() + limit.total_seconds()
        try:
            yield
        finally:
            del self._ends[name]

    def overdue(self) -> tuple[str, ...]:
        """Return the names of the operations that are past their time-out."""
        now = time.monotonic()
        return tuple(name for name, end in tuple(self._ends.items()) if end < now)
