"""Delivery workers: more of them for a sink with many messages, and the threads of all."""

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, wait
from dataclasses import replace
from datetime import timedelta

from mastodon_update_check.config import SinkSettings
from mastodon_update_check.config.sinks import BUILT_IN
from mastodon_update_check.http.time_limit import in_thread
from mastodon_update_check.jobs.deliver import DeliveryWorker
from mastodon_update_check.ledger.ledger import Ledger
from mastodon_update_check.logs import log
from mastodon_update_check.sinks.discovery import secret_options

SIGN_SECONDS = 20.0
"""How often a delivering process reports that it is alive."""
GRACE = timedelta(seconds=10)
"""How long the other sinks may continue when one is past its limit, before the process ends."""
LANES = 2
"""Most connections, each with one message in flight, over which a sink delivers."""
MESSAGES_A_LANE = 50
"""The number of undelivered messages for which one connection is enough."""


def hidden_options(sink: SinkSettings) -> tuple[str, ...]:
    """Return what must not be shown of a reply; a built-in sink removes its own secrets."""
    return () if sink.plugin in BUILT_IN else secret_options(sink.options)


def add_lanes(workers: Sequence[DeliveryWorker], ledger: Ledger) -> tuple[DeliveryWorker, ...]:
    """Return the workers, and more of them for a sink of many recipients that has many messages to deliver.

    Each has its own connection, and begins an attempt in the transaction that records the outcome of its last one.
    """
    lanes = list(workers)
    for worker in workers:
        if not worker.only_to:
            waiting = ledger.summary(worker.clock(), (worker.sink_name,)).undelivered
            extra = min(waiting // MESSAGES_A_LANE, LANES - 1)
            lanes += (replace(worker, is_extra=True) for _ in range(extra))
    return tuple(lanes)


class Deliveries:
    """The threads of one process that delivers: one for each worker that has something due."""

    def __init__(self, workers: Sequence[DeliveryWorker]) -> None:
        self._workers = workers
        self._threads: dict[DeliveryWorker, Future[None]] = {}
        self._news = threading.Event()

    @property
    def sent(self) -> int:
        """Return the number of accepted messages."""
        return sum(worker.sent for worker in self._workers)

    @property
    def problems(self) -> list[str]:
        """Return the reasons why sinks did not deliver."""
        return [worker.problem for worker in self._workers if worker.problem]

    def stop(self) -> None:
        """Finish the attempts in progress, and begin no other."""
        for worker in self._workers:
            worker.is_stopping = True
        self._news.set()

    def run(self, ledger: Ledger, give_sign: Callable[[], None] = lambda: None) -> None:
        """Deliver; return when no thread runs and nothing is due, or when an attempt is past its limit.

        The ledger is for this thread alone; `give_sign` is called now and then, to report that the process is alive.
        """
        signed_at = 0.0
        while self._begin_due(ledger) or not all(thread.done() for thread in self._threads.values()):
            if time.monotonic() - signed_at > SIGN_SECONDS:
                signed_at = time.monotonic()
                give_sign()
            has_ended = any(thread.done() for thread in self._threads.values())
            self._news.wait(0.01 if has_ended else 1.0)
            self._news.clear()
            late = [worker for worker in self._workers if worker.ends_at < time.monotonic()]
            if late:
                self._end_late(ledger, late)
                return

    def _begin_due(self, ledger: Ledger) -> bool:
        begun = False
        for worker in self._workers:
            thread = self._threads.get(worker)
            is_once = worker.is_extra or worker.due_by is not None
            if worker.is_stopping or worker.problem or (thread is not None and (is_once or not thread.done())):
                continue
            now = worker.clock()
            due_at = ledger.next_due_at(worker.sink_name, now, only_to=worker.only_to)
            if due_at is not None and due_at <= now:
                self._begin(worker)
                begun = True
        return begun

    def _begin(self, worker: DeliveryWorker) -> None:
        try:
            self._threads[worker] = in_thread(worker.run)
            self._threads[worker].add_done_callback(lambda _: self._news.set())
        except RuntimeError as error:  # the unit's TasksMax
            worker.problem = f"deliveries by {worker.sink_name} could not begin: {error}"
            log.error("delivery.crashed", sink=worker.sink_name, detail=worker.problem)

    def _end_late(self, ledger: Ledger, late: Sequence[DeliveryWorker]) -> None:
        """Record that attempts took too long, and let the other sinks finish theirs: only the process can be ended."""
        self.stop()
        for worker in late:
            worker.give_up(ledger)
        others = [thread for worker, thread in self._threads.items() if worker not in late]
        wait(others, timeout=GRACE.total_seconds())
