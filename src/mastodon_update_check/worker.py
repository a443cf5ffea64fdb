"""The thread that works one sink's messages off, as long as the daemon runs."""

import threading
from collections.abc import Callable
from datetime import timedelta

import structlog

from mastodon_update_check.errors import LedgerError
from mastodon_update_check.jobs.deliver import Courier
from mastodon_update_check.ledger.ledger import Ledger

LONGEST_SLEEP = timedelta(seconds=60)
"""How long a worker sleeps at most: another process may have planned something meanwhile."""

log = structlog.get_logger()


class Worker:
    """Sends what is due, sleeps until something is due or it is woken."""

    def __init__(self, courier: Courier, on_change: Callable[[], None]) -> None:
        self.courier = courier
        self._on_change = on_change
        self._wake = threading.Event()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, name=f"delivery by {courier.sink_name}", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def wake(self) -> None:
        """Look at once whether something is due."""
        self._wake.set()

    def stop(self) -> None:
        """Finish the attempt in hand, and begin no other."""
        self._stop.set()
        self._wake.set()

    def join(self, seconds: float) -> bool:
        """Wait for the end of the attempt in hand; say whether it came."""
        self._thread.join(max(seconds, 0))
        return not self._thread.is_alive()

    @property
    def is_alive(self) -> bool:
        """Whether the thread runs."""
        return self._thread.is_alive()

    def _work(self) -> None:
        while not self._stop.is_set():
            try:
                with self.courier.open_ledger() as ledger:
                    while not self._stop.is_set():
                        self._deliver_due(ledger)
                        self._sleep(self._time_until_due(ledger))
            except LedgerError as error:
                log.error("ledger.failed", sink=self.courier.sink_name, detail=str(error))  # noqa: TRY400 - a sentence, no traceback
                self._sleep(LONGEST_SLEEP)
            except Exception as error:  # noqa: BLE001 - a bug in one sink's path must not end its deliveries for good
                log.critical("delivery.crashed", sink=self.courier.sink_name, detail=f"{type(error).__name__}: {error}")
                self._sleep(LONGEST_SLEEP)
        self.courier.close()

    def _deliver_due(self, ledger: Ledger) -> None:
        attempted = False
        while not self._stop.is_set() and self.courier.deliver_next(ledger, self.courier.clock()) is not None:
            attempted = True
        if attempted:
            self.courier.close()
            self._on_change()

    def _time_until_due(self, ledger: Ledger) -> timedelta:
        now = self.courier.clock()
        due_at = ledger.next_due_at(self.courier.instance, self.courier.sink_name, now)
        # What is due but was not taken is held by somebody, or held back: look again in a while.
        wait = LONGEST_SLEEP if due_at is None or due_at <= now else due_at - now
        return min(wait, LONGEST_SLEEP)

    def _sleep(self, wait: timedelta) -> None:
        self._wake.wait(wait.total_seconds())
        self._wake.clear()
