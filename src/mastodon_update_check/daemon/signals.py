"""Signals: blocked from the first moment of the process (see `cli`), and taken here by a thread of their own.

So none can interrupt anything, none is lost while the program is still starting, and whatever the rest of the program
hangs in, a daemon that is told to stop stops.
"""

import os
import signal
import threading
import time
from datetime import timedelta
from enum import Enum, auto

SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)
STOP_LIMIT = timedelta(seconds=9.5)
"""How long after the first signal to stop the process ends in any case, with or without its own consent."""


class Order(Enum):
    """What signals ask for."""

    STOP = auto()
    RELOAD = auto()


class Signals:
    """Orders that have come by signal; several of a kind are one."""

    def __init__(self, limit: timedelta = STOP_LIMIT) -> None:
        self._limit = limit
        self.stop_asked_at = float("inf")
        """When the order to stop came, by the monotonic clock."""
        self._must_reload = False
        self._news = threading.Event()

    def start(self) -> None:
        """Take signals from now on; they must be blocked in every thread."""
        threading.Thread(target=self._take, name="signals", daemon=True).start()

    def wait(self, seconds: float) -> Order | None:
        """Wait for an order; an order to stop comes before any other, and is never withdrawn."""
        self._news.wait(seconds)
        if self.stop_asked_at <= time.monotonic():
            return Order.STOP
        self._news.clear()
        if self._must_reload:
            self._must_reload = False
            return Order.RELOAD
        return None

    def _take(self) -> None:
        while signal.sigwait(SIGNALS) == signal.SIGHUP:
            self._must_reload = True
            self._news.set()
        self.stop_asked_at = time.monotonic()
        self._news.set()
        # Whoever asks twice does not want to wait.
        signal.sigtimedwait(STOP_SIGNALS, self._limit.total_seconds())
        os._exit(0)
