"""The status of one server at one moment: for `status`, the metrics and the status page.

docs/STATUS.md and docs/status.schema.json describe the form of `status --json`, and change together with it.
"""

from dataclasses import dataclass
from datetime import datetime

from mastodon_update_check.config import Settings
from mastodon_update_check.domain.server.problems import list_left
from mastodon_update_check.domain.server.state import ServerState
from mastodon_update_check.domain.server.status import Verdict, is_alive, postponed_until, urgent_to_act_on
from mastodon_update_check.ledger.processes import Node
from mastodon_update_check.ledger.summary import OutboxSummary, SinkAccount
from mastodon_update_check.logs import hide_secrets
from mastodon_update_check.messages.payload import describe_support, list_route, list_updates

SCHEMA = 1
"""Version of the form: raised when a field goes or changes its meaning, not when one is added."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusReport:
    """The contents of the ledger at one moment, and the verdict on them."""

    settings: Settings
    known: ServerState
    outbox: OutboxSummary
    last_beat_at: datetime | None
    nodes: tuple[Node, ...]
    now: datetime
    verdict: Verdict

    @property
    def is_alive(self) -> bool:
        """Return whether the daemon on this machine has a recent heartbeat."""
        return is_alive(self.last_beat_at, self.now)

    @property
    def is_checked(self) -> bool:
        """Return whether a daemon checks, here or on another machine."""
        return self.is_alive or any(is_alive(node.alive_at, self.now) for node in self.nodes)

    @property
    def next_check_at(self) -> datetime | None:
        """When the daemon will check next, give or take half of the jitter; None when it is unknown."""
        if not self.is_checked or self.settings.off_reason or self.known.checked_at is None:
            return None
        return max(self.known.checked_at + self.settings.interval, self.now)

    @property
    def urgent_to_act_on(self) -> int:
        """The number of urgent updates to act on."""
        return len(urgent_to_act_on(self.known, self.now))

    @property
    def support_days(self) -> int | None:
        """How many days the installed branch is still supported; negative once it is over."""
        ends_on = self.known.support_ends_on
        return None if ends_on is None or self.known.installed is None else (ends_on - self.now.date()).days


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
        "updates": [
            # Only a message can say whether an update is new to its recipient.
            {name: value for name, value in update.items() if name != "new"}
            for update in list_updates(known, known.pending())
        ],
        "skipped": [str(update.version) for update in known.pending() if known.is_skipped(update)],
        "postponed": {
            str(update.version): iso(until) for update in known.pending() if (until := postponed_until(update, known))
        },
        "route": list_route(known),
        "migrations_pending": list(list_left(known.migrations)),
        "services_outdated": list(list_left(known.services)),
        "support": describe_support(known, report.now),
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


def iso(moment: datetime | None) -> str | None:
    """Write an instant for a program."""
    return None if moment is None else moment.isoformat(timespec="seconds")


def _describe_node(node: Node, report: StatusReport) -> dict[str, object]:
    alive = is_alive(node.alive_at, report.now)
    return {"host": node.host, "alive": alive, "last_beat_at": iso(node.alive_at), "checks": alive and node.is_owner}


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
