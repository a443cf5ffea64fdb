"""When checks are due: at once, then every interval with a centred spread.

It counts by CLOCK_BOOTTIME, which cannot be set, and which runs on while the machine sleeps. One check makes up for all
that were missed.
"""

import random
import time
from collections.abc import Callable
from datetime import timedelta
from functools import partial

GRACE = timedelta(minutes=5)
"""How much later than planned a check may begin before something is wrong with this process."""


boot_seconds = partial(time.clock_gettime, time.CLOCK_BOOTTIME)
"""Returns the seconds since the machine was started."""


class Schedule:
    """When the next check is due."""

    def __init__(self, clock: Callable[[], float] = boot_seconds) -> None:
        self._clock = clock
        self._due_at = clock()

    def make_due(self) -> None:
        """Let the next check be due now."""
        self._due_at = self._clock()

    def begin(self, interval: float, jitter: float) -> None:
        """Plan the check after one that begins now: `interval` later, up to half of `jitter` sooner or later (in s)."""
        spread = jitter * (random.random() - 0.5)  # noqa: S311 - spreads load, keeps no secret
        self._due_at = self._clock() + interval + spread

    @property
    def due_in(self) -> timedelta:
        """Return the time until the next check; negative, or zero, for one that is due."""
        return timedelta(seconds=self._due_at - self._clock())
