"""What is under way, and until when it may be: the watchdog is fed only while nothing is past its own time-out."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta


class Operations:
    """The operations under way, by name; one thread uses each name, any thread may ask."""

    def __init__(self) -> None:
        self._ends: dict[str, float] = {}

    @contextmanager
    def running(self, name: str, limit: timedelta) -> Iterator[Callable[[], None]]:
        """Count as under way for the duration of the block, at most for `limit`.

        The block gets a function that begins the limit anew: for work that takes as long as it takes, step by step.
        """

        def renew() -> None:
            self._ends[name] = time.monotonic() + limit.total_seconds()

        renew()
        try:
            yield renew
        finally:
            del self._ends[name]

    @property
    def is_idle(self) -> bool:
        """Whether nothing is under way."""
        return not self._ends

    def overdue(self) -> tuple[str, ...]:
        """Return the names of the operations that are past their time-out."""
        now = time.monotonic()
        return tuple(name for name, end in self._ends.copy().items() if end <= now)
