"""`status --json`; docs/STATUS.md and docs/status.schema.json describe it, and change together with it."""

from collections.abc import Mapping

from mastodon_update_check.cli.common import hide_secrets, iso
from mastodon_update_check.cli.status_picture import Picture
from mastodon_update_check.domain.status import is_alive
from mastodon_update_check.ledger.nodes import Node
from mastodon_update_check.ledger.summary import SinkAccount
from mastodon_update_check.messages.payload import describe_support, list_updates

SCHEMA = 1
"""Version of the form: raised when a field goes or changes its meaning, not when one is added."""


def describe(picture: Picture) -> dict[str, object]:
    """Return the object that is printed."""
    known, outbox, settings = picture.known, picture.outbox, picture.settings
    return {
        "schema": SCHEMA,
        "instance": settings.instance,
        "level": picture.verdict.level.name.lower(),
        "reasons": list(picture.verdict.sentences),
        "alive": picture.is_alive,
        "last_beat_at": iso(picture.last_beat_at),
        "checking_off": settings.off_reason or None,
        "installed_version": known.installed.text if known.installed else None,
        "pending": len(known.pending()),
        "urgent_to_act_on": picture.urgent_to_act_on,
        "updates": [_without_new(update) for update in list_updates(known, known.pending())],
        "skipped": [str(update.version) for update in known.pending() if known.is_skipped(update)],
        "support": describe_support(known.support_ends_on, known.support_at(picture.now), known.installed),
        "last_check_at": iso(known.checked_at),
        "last_good_check_at": iso(known.good_at),
        "next_check_at": iso(picture.next_check_at),
        "failing_since": iso(known.failing_since),
        "failure": known.detail or None,
        "warnings": list(known.warnings),
        "undelivered": outbox.undelivered,
        "deferred": outbox.deferred,
        "failed": outbox.failed,
        "held_back": outbox.held_back,
        "undelivered_since": iso(outbox.waiting_since),
        "nodes": [_describe_node(node, picture) for node in picture.nodes],
        "sinks": [_describe_sink(sink, picture) for sink in outbox.sinks],
    }


def describe_life(picture: Picture) -> dict[str, object]:
    """Return what `status --alive --json` prints."""
    return {"schema": SCHEMA, "alive": picture.is_alive, "last_beat_at": iso(picture.last_beat_at)}


def _without_new(update: Mapping[str, object]) -> dict[str, object]:
    """Return an update without what only a message can say: whether it is new to its recipient."""
    return {name: value for name, value in update.items() if name != "new"}


def _describe_node(node: Node, picture: Picture) -> dict[str, object]:
    alive = is_alive(node.beat_at, picture.now)
    return {
        "host": node.host,
        "alive": alive,
        "last_beat_at": iso(node.beat_at),
        "checks": alive and node.has_turn,
    }


def _describe_sink(sink: SinkAccount, picture: Picture) -> dict[str, object]:
    return {
        "name": sink.name,
        "undelivered": sink.undelivered,
        "failing_since": iso(sink.failing_since),
        "retry_at": iso(sink.retry_at),
        "stopped": sink.is_stopped,
        "reply": hide_secrets(sink.reply, picture.settings) or None,
        "last_sent_at": iso(sink.sent_at),
    }
