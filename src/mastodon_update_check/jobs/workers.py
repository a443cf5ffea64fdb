"""From the settings to a delivery worker for each sink."""

from collections.abc import Callable, Mapping

from mastodon_update_check.config import Settings, SinkSettings
from mastodon_update_check.jobs.clock import Clock
from mastodon_update_check.jobs.deliver import DeliveryWorker
from mastodon_update_check.jobs.recipients import find_single_key
from mastodon_update_check.ledger.ledger import Ledger
from mastodon_update_check.messages.context import MessageContext
from mastodon_update_check.messages.translation import ENGLISH, Translation, language_tags
from mastodon_update_check.sinks.base import Sink


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
