"""Delivery workers: the sinks that they load, more of them for a sink with many messages, and one round of all."""

import threading
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from mastodon_update_check.config import SinkSettings
from mastodon_update_check.errors import LedgerError
from mastodon_update_check.jobs.deliver import DeliveryWorker
from mastodon_update_check.ledger.ledger import Ledger
from mastodon_update_check.sinks.base import Sink

RECORD_TRIES = 5
"""How often a command tries to record an acceptance."""
LANES = 2
"""Most connections, each with one message in flight, over which a sink delivers."""
MESSAGES_A_LANE = 50
"""The number of undelivered messages for which one connection is enough."""


def add_lanes(workers: Sequence[DeliveryWorker], ledger: Ledger, now: datetime) -> tuple[DeliveryWorker, ...]:
    """Return the workers, and more of them for a sink of many recipients that has many messages to deliver.

    Each has its own connection, and begins an attempt in the transaction that records the outcome of its last one.
    """
    lanes = list(workers)
    for worker in workers:
        if not worker.only_to:
            waiting = ledger.summary(now, (worker.sink_name,)).undelivered
            extra = min(waiting // MESSAGES_A_LANE, LANES - 1)
            lanes += (replace(worker, is_extra=True) for _ in range(extra))
    return tuple(lanes)


def load(sink: SinkSettings) -> Sink:
    """Return the sink with these settings. Raises `SettingsError` when it cannot be made."""
    from mastodon_update_check.sinks.discovery import load_sink

    return load_sink(sink.plugin, sink.options)


def deliver_round(workers: Sequence[DeliveryWorker], due_by: datetime) -> int:
    """Make one attempt at every message that was due at `due_by`, each sink in a thread; return how many were accepted.

    A message that fails is due later than `due_by`, so it is not tried twice.

    Raises:
        LedgerError: the ledger cannot be used; the other sinks have had their turn.
    """
    for worker in workers:
        worker.record_tries = RECORD_TRIES
    threads = [
        threading.Thread(target=worker.run, args=(lambda: due_by,), name=worker.sink_name, daemon=True)
        for worker in workers
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()  # a daemon thread: Ctrl-C ends the command
    for worker in workers:
        if worker.problem:
            raise LedgerError(worker.problem)
    return sum(worker.sent for worker in workers)
