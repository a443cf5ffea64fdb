"""Signals: blocked from the first moment of the process (see `cli.main`), and taken here by a thread of their own.

None interrupts anything, and none is lost while the program starts. A daemon stops on request, even if its other
threads hang.
"""

import os
import signal
import threading
from collections.abc import Callable
from datetime import timedelta
from enum import Enum, auto

SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1)
STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)
STOP_LIMIT = timedelta(seconds=9.5)
"""How long after the first signal to stop the process ends in any case; its children end with it."""


class SignalEvent(Enum):
    """The meaning of a signal."""

    STOP = auto()
    RELOAD = auto()
    LOOK = auto()
    """Look at the requests in the ledger."""


_EVENTS = {signal.SIGHUP: SignalEvent.RELOAD, signal.SIGUSR1: SignalEvent.LOOK}


def take_signals(post: Callable[[SignalEvent], None], limit: timedelta = STOP_LIMIT) -> None:
    """Post each order that comes by signal, from now on; signals must be blocked in every thread."""

    def take() -> None:
        while (order := _EVENTS.get(signal.Signals(signal.sigwait(SIGNALS)), SignalEvent.STOP)) is not SignalEvent.STOP:
            post(order)
        post(order)
        # Asking twice means not wanting to wait.
        signal.sigtimedwait(STOP_SIGNALS, limit.total_seconds())
        os._exit(0)

    threading.Thread(target=take, name="signals", daemon=True).start()
