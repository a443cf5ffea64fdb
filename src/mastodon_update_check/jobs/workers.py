"""From the settings to a delivery worker for each sink."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from mastodon_update_check.config import Settings, SinkSettings
from mastodon_update_check.jobs.clock import Clock
from mastodon_update_check.jobs.deliver import DeliveryWorker
from mastodon_update_check.jobs.recipients import find_single_key
from mastodon_update_check.ledger.ledger import Ledger
from mastodon_update_check.messages.context import MessageContext
from mastodon_update_check.messages.translation import ENGLISH, Translation, language_tags
from mastodon_update_check.sinks.base import Sink

LANES = 2
"""Most connections, each with one message in flight, over which a sink delivers."""
MESSAGES_A_LANE = 50
"""The number of undelivered messages for which one connection is enough."""


def make_workers(
    settings: Settings,
    fingerprints: Mapping[str, str],
    open_ledger: Callable[[], Ledger],
    describe: Callable[[Ledger], MessageContext],
    clock: Clock,
) -> tuple[DeliveryWorker, ...]:
    """Return a worker for each configured sink; `fingerprints` are those of the sinks' settings."""
    return tuple(
        DeliveryWorker(
            sink_name=sink.name,
            load_sink=loader(sink),
            settings=fingerprints[sink.name],
            open_ledger=open_ledger,
            describe=describe,
            clock=clock,
            only_to=find_single_key(sink),
            find_words=find_words,
        )
        for sink in settings.sinks
    )


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


def find_words(locale: str) -> Translation:
    """Return the language of a locale: English unless there is a catalogue, which is read when it is first needed."""
    if not language_tags(locale):
        return ENGLISH
    from mastodon_update_check.translations import load_translation

    return load_translation(locale)


def loader(sink: SinkSettings) -> Callable[[], Sink]:
    """Return what makes a sink; it raises `SettingsError` when that cannot be done."""

    def load() -> Sink:
        from mastodon_update_check.sinks.discovery import load_sink

        return load_sink(sink.plugin, sink.options)

    return load
