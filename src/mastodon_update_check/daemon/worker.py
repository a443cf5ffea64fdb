"""The thread that works one sink's messages off, as long as the daemon runs."""

import threading
from collections.abc import Callable
from datetime import timedelta

from mastodon_update_check.domain.outbox import LEASE
from mastodon_update_check.errors import LedgerError
from mastodon_update_check.jobs.deliver import ATTEMPT_LIMIT, Courier
from mastodon_update_check.ledger.ledger import Ledger
from mastodon_update_check.logs import log

STEP_LIMIT = ATTEMPT_LIMIT + timedelta(minutes=5)
"""How long a worker may go without progress: one attempt, and what the ledger may take before and after it."""


class Worker:
    """Sends what is due, sleeps until something is due or it is woken."""

    def __init__(self, courier: Courier, on_change: Callable[[], None]) -> None:
        self.courier = courier
        self.name = f"worker of {courier.sink_name}"
        self.trouble = ""
        """What keeps it from working; empty while nothing does."""
        self._on_change = on_change
        self._wake = threading.Event()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, name=self.name, daemon=True)

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
            wait = self._try_round()
            self._wake.wait(wait.total_seconds())
            self._wake.clear()
        if self.courier.owes_the_ledger:  # perhaps it works again: a disk that was full, and now a restart
            self._try_round()

    def _try_round(self) -> timedelta:
        """Deliver what is due; return how long there will be nothing to do. Whatever goes wrong is said."""
        had_trouble, self.trouble = self.trouble, ""
        try:
            wait = self._round()
        except LedgerError as error:
            self.trouble = str(error)
            if self.trouble != had_trouble:
                log.error("ledger.failed", sink=self.courier.sink_name, detail=self.trouble)
            return self.courier.pause
        except (Exception, SystemExit) as error:  # noqa: BLE001 - a bug in one sink must not end its deliveries for good
            self.trouble = f"the {self.name} crashed: {type(error).__name__}: {error}"
            log.critical("delivery.crashed", sink=self.courier.sink_name, detail=self.trouble)
        else:
            if had_trouble:
                log.info("delivery.recovered", sink=self.courier.sink_name)
            return wait
        finally:
            if self.trouble != had_trouble:
                self._on_change()
        return self.courier.longest_sleep

    def _round(self) -> timedelta:
        # The ledger is opened anew each time: somebody may have begun another one meanwhile.
        with (
            self.courier.operations.running(self.name, STEP_LIMIT) as renew,
            self.courier.open_ledger() as ledger,
        ):

            def may_go_on() -> bool:
                renew()
                return not self._stop.is_set()

            try:
                outcomes = self.courier.deliver_due(ledger, self.courier.clock, may_go_on)
            finally:
                self.courier.close()
            if outcomes:
                self._on_change()
            return self._time_until_due(ledger)

    def _time_until_due(self, ledger: Ledger) -> timedelta:
        now = self.courier.clock()
        due_at = self.courier.next_due_at(ledger, now)
        if due_at is None:
            return self.courier.longest_sleep
        # What is due but was not taken is held by somebody, perhaps a process that is dead, or is held back.
        wait = LEASE if due_at <= now else due_at - now
        return min(wait, self.courier.longest_sleep)
