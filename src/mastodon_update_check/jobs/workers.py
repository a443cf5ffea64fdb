"""The sinks that delivery workers load, and more workers for a sink with many messages."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from mastodon_update_check.config import SinkSettings
from mastodon_update_check.jobs.deliver import DeliveryWorker
from mastodon_update_check.ledger.ledger import Ledger
from mastodon_update_check.sinks.base import Sink

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
