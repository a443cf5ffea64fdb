"""Metrics for Prometheus, as a file for node_exporter's textfile collector.

Each is a gauge of a state in the ledger: nothing is lost with a process. Names and units follow Prometheus'
conventions. Every set of labels exists from the start, since an alert on a missing one never fires.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from mastodon_update_check import __version__
from mastodon_update_check.domain.notices import UpdateType
from mastodon_update_check.monitoring.status import StatusReport

_Metric = tuple[str, str, tuple[str, ...], Mapping[Any, float]]
"""Name, meaning, labels, and the value by the texts of these, without the server's."""


def render(report: StatusReport) -> bytes:
    """Return the metrics in Prometheus' text format."""
    from prometheus_client import CollectorRegistry, Gauge, generate_latest

    registry = CollectorRegistry()
    for name, help_, labels, values in (*_of_server(report), *_of_sinks(report)):
        gauge = Gauge(f"mastodon_update_check_{name}", help_, ("server", *labels), registry=registry)
        for texts, value in values.items():
            gauge.labels(report.settings.instance, *texts).set(value)
    return generate_latest(registry)


def _of_server(report: StatusReport) -> Iterator[_Metric]:
    known, end, pending = report.known, report.known.support_ends_on, report.known.pending()
    good_at, oldest = _epoch(known.good_at), _epoch(report.outbox.waiting_since)
    ended = 0 if end is None else datetime(end.year, end.month, end.day, tzinfo=UTC).timestamp() + 86_400
    for name, help_, value in (
        ("support_end_timestamp_seconds", "When support of the installed branch has ended; 0 while unknown.", ended),
        ("urgent_updates_to_act_on", "Urgent updates that this server should install.", report.urgent_to_act_on),
        ("status", "The exit code of `status`: 0 ok, 1 warning, 2 critical, 3 unknown.", report.verdict.level),
        ("check_interval_seconds", "Time between checks.", report.settings.interval.total_seconds()),
        ("last_check_timestamp_seconds", "When the last check ended; 0 before the first.", _epoch(known.checked_at)),
        ("last_successful_check_timestamp_seconds", "When the last check that worked ended; 0 for never.", good_at),
        ("failed_checks", "Checks that have failed in a row.", known.failures),
        ("metrics_timestamp_seconds", "When these metrics were written.", _epoch(report.now)),
        ("oldest_undelivered_timestamp_seconds", "When the oldest message that waits was planned; 0 for none.", oldest),
    ):
        yield name, help_, (), {(): value}
    labels = __version__, known.installed.text if known.installed else ""
    yield "info", "This program, and the server it runs beside.", ("version", "installed_version"), {labels: 1}
    counts = {
        (str(kind), str(urgent).lower()): sum((one.type, one.urgent) == (kind, urgent) for one in pending)
        for kind in UpdateType
        for urgent in (False, True)
    }
    yield "updates_pending", "Releases newer than the installed one, by how far they go.", ("type", "urgent"), counts


def _of_sinks(report: StatusReport) -> Iterator[_Metric]:
    accounts = {account.name: account for account in report.outbox.sinks}
    sinks = [(name, accounts.get(name)) for name in report.settings.sink_names]
    waiting = {(name,): one.undelivered if one else 0 for name, one in sinks}
    failing = {(name,): bool(one and (one.failing_since or one.is_stopped)) for name, one in sinks}
    sent = {(name,): _epoch(one.sent_at if one else None) for name, one in sinks}
    yield "messages_undelivered", "Messages that have not been accepted yet.", ("sink",), waiting
    yield "sink_failing", "Whether a sink accepts nothing at the moment.", ("sink",), failing
    yield "last_delivery_timestamp_seconds", "When a sink last delivered something; 0 for never.", ("sink",), sent


def _epoch(instant: datetime | None) -> float:
    return 0 if instant is None else instant.timestamp()
