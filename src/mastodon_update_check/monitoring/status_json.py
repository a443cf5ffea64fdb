"""`status --json`; docs/STATUS.md and docs/status.schema.json describe it, and change together with it."""

from collections.abc import Mapping
from datetime import datetime

from mastodon_update_check.domain.routes import find_route
from mastodon_update_check.domain.server.status import is_alive
from mastodon_update_check.ledger.nodes import Node
from mastodon_update_check.ledger.summary import SinkAccount
from mastodon_update_check.logs import hide_secrets
from mastodon_update_check.messages.payload import describe_support, list_updates
from mastodon_update_check.monitoring.status_report import StatusReport

SCHEMA = 1
"""Version of the form: raised when a field goes or changes its meaning, not when one is added."""


def describe_status(report: StatusReport) -> dict[str, object]:
    """Return the object that is printed."""
    known, outbox, settings = report.known, report.outbox, report.settings
    return {
        "schema": SCHEMA,
        "instance": settings.instance,
        "level": report.verdict.level.name.lower(),
        "reasons": list(report.verdict.sentences),
        "alive": report.is_alive,
        "last_beat_at": iso(report.last_beat_at),
        "checking_off": settings.off_reason or None,
        "installed_version": known.installed.text if known.installed else None,
        "pending": len(known.pending()),
        "urgent_to_act_on": report.urgent_to_act_on,
        "updates": [_without_new(update) for update in list_updates(known, known.pending())],
        "skipped": [str(update.version) for update in known.pending() if known.is_skipped(update)],
        "route": list(find_route(known.installed, known.pending())) if known.installed else [],
        "migrations_pending": list(known.pending_migrations()),
        "services_outdated": list(known.outdated_services()),
        "support": describe_support(known.support_ends_on, known.support_at(report.now), known.installed),
        "last_check_at": iso(known.checked_at),
        "last_good_check_at": iso(known.good_at),
        "next_check_at": iso(report.next_check_at),
        "days": [
            {"day": day.date.isoformat(), "successful": day.successful, "failed": day.failed} for day in known.days
        ],
        "failing_since": iso(known.failing_since),
        "failure": known.detail or None,
        "warnings": list(known.warnings),
        "undelivered": outbox.undelivered,
        "deferred": outbox.deferred,
        "failed": outbox.failed,
        "held_back": outbox.held_back,
        "undelivered_since": iso(outbox.waiting_since),
        "nodes": [_describe_node(node, report) for node in report.nodes],
        "sinks": [_describe_sink(sink) for sink in outbox.sinks],
    }


def describe_heartbeat(report: StatusReport) -> dict[str, object]:
    """Return what `status --alive --json` prints."""
    return {"schema": SCHEMA, "alive": report.is_alive, "last_beat_at": iso(report.last_beat_at)}


def iso(moment: datetime | None) -> str | None:
    """Write an instant for a program."""
    return None if moment is None else moment.isoformat(timespec="seconds")


def _without_new(update: Mapping[str, object]) -> dict[str, object]:
    """Return an update without what only a message can say: whether it is new to its recipient."""
    return {name: value for name, value in update.items() if name != "new"}


def _describe_node(node: Node, report: StatusReport) -> dict[str, object]:
    alive = is_alive(node.alive_at, report.now)
    return {
        "host": node.host,
        "alive": alive,
        "last_beat_at": iso(node.alive_at),
        "checks": alive and node.is_owner,
    }


def _describe_sink(sink: SinkAccount) -> dict[str, object]:
    return {
        "name": sink.name,
        "undelivered": sink.undelivered,
        "failing_since": iso(sink.failing_since),
        "retry_at": iso(sink.retry_at),
        "stopped": sink.is_stopped,
        "reply": hide_secrets(sink.reply) or None,
        "last_sent_at": iso(sink.sent_at),
    }
