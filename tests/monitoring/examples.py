"""Status reports for tests."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from domain.examples import update, version
from mastodon_update_check.config import load_settings
from mastodon_update_check.domain.server.state import ServerState
from mastodon_update_check.domain.server.status import Level, Verdict
from mastodon_update_check.ledger.summary import OutboxSummary
from mastodon_update_check.monitoring.status import StatusReport

EMPTY_OUTBOX = OutboxSummary(deferred=0, failed=0, held_back=0, waiting_since=None, sinks=())
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
NEW = StatusReport(
    settings=load_settings(
        {"HOME": "/nowhere", "LOCAL_DOMAIN": "social.example", "SMTP_SERVER": "mail"}, Path("/nowhere/config.env")
    ),
    known=ServerState(),
    outbox=EMPTY_OUTBOX,
    last_beat_at=None,
    nodes=(),
    now=NOW,
    verdict=Verdict(level=Level.UNKNOWN, sentences=("no check has worked yet",)),
)
"""A server before its first check."""
URGENT = ServerState(installed=version("4.5.19"), updates=(update("4.5.20", urgent=True),))


def of_server(report: StatusReport, instance: str) -> StatusReport:
    """Return the same report about another server."""
    return replace(report, settings=replace(report.settings, local_domain=instance))
