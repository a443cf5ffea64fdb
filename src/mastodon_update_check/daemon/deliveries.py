"""Deliveries of one child process: a thread for each sink that has something due, until none has."""

import signal
import threading
import time
from collections.abc import Callable, Sequence
from datetime import timedelta

from mastodon_update_check.app import App
from mastodon_update_check.errors import TransientDeliveryError
from mastodon_update_check.jobs.deliver import DeliveryWorker, log_attempt, settle_attempt
from mastodon_update_check.ledger.ledger import Ledger
from mastodon_update_check.logs import log

SIGN_SECONDS = 20.0
"""How often a delivering child reports that it is alive."""
GRACE = timedelta(seconds=10)
"""How long the other sinks may continue when one is past its limit, before the process ends."""


class Deliveries:
    """The threads of one delivering process."""

    def __init__(self, app: App, workers: Sequence[DeliveryWorker], give_sign: Callable[[], None]) -> None:
        """Handle SIGTERM from now on; `give_sign` reports that the process is alive."""
        self._give_sign = give_sign
        self._app = app
        self._workers = workers
        self._threads: dict[DeliveryWorker, threading.Thread] = {}
        self._news = threading.Event()
        signal.signal(signal.SIGTERM, lambda *_: self._stop())

    def _stop(self) -> None:
        for worker in self._workers:
            worker.is_stopping = True
        self._news.set()

    def until_nothing_is_due(self, ledger: Ledger) -> None:
        """Begin threads for the sinks that have something due; return when none runs, or one is past its limit."""
        signed_at = 0.0
        while self._begin_due(ledger) or any(thread.is_alive() for thread in self._threads.values()):
            if time.monotonic() - signed_at > SIGN_SECONDS:
                signed_at = time.monotonic()
                self._give_sign()
            self._news.wait(1.0 if not self._has_just_ended() else 0.01)
            self._news.clear()
            late = [worker for worker in self._workers if worker.ends_at < time.monotonic()]
            if late:
                self._end_late(ledger, late)
                return

    def _has_just_ended(self) -> bool:
        return not all(thread.is_alive() for thread in self._threads.values())

    def _begin_due(self, ledger: Ledger) -> bool:
        now = self._app.clock()
        begun = False
        for worker in self._workers:
            thread = self._threads.get(worker)
            if worker.is_stopping or worker.problem:
                continue
            if thread is not None and (worker.is_extra or thread.is_alive()):
                continue
            due_at = worker.next_due_at(ledger, now)
            if due_at is not None and due_at <= now:
                self._begin(worker)
                begun = True
        return begun

    def _begin(self, worker: DeliveryWorker) -> None:
        def run() -> None:
            worker.run(self._app.clock)
            self._news.set()

        thread = threading.Thread(target=run, name=worker.sink_name, daemon=True)
        self._threads[worker] = thread
        try:
            thread.start()
        except RuntimeError as error:  # the unit's TasksMax
            del self._threads[worker]
            worker.problem = f"deliveries by {worker.sink_name} could not begin: {error}"
            log.error("delivery.crashed", sink=worker.sink_name, detail=worker.problem)

    def _end_late(self, ledger: Ledger, late: Sequence[DeliveryWorker]) -> None:
        """Record that attempts took too long, and let the other sinks finish theirs: only the process can be ended."""
        self._stop()
        for worker in late:
            attempt = worker.current
            if attempt is not None:
                now = self._app.clock()
                error = TransientDeliveryError("took longer than it may", sink_wide=True, may_have_arrived=True)
                settlement = settle_attempt(attempt, error, "", now)
                ledger.record(attempt, settlement, now)
                log_attempt(attempt, settlement)
        end = time.monotonic() + GRACE.total_seconds()
        for worker in self._workers:
            if worker not in late and (thread := self._threads.get(worker)) is not None:
                thread.join(max(end - time.monotonic(), 0))

    def problems(self) -> list[str]:
        """Return what kept sinks from delivering."""
        return [worker.problem for worker in self._workers if worker.problem]
