"""Metrics for Prometheus, as a file for node_exporter's textfile collector.

Each is a gauge that says how things stand, read from the ledger: nothing is lost with a process. Names and units follow
Prometheus' conventions; every set of labels is there from the start, since an alert on one that is missing never fires.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from mastodon_update_check import __version__
from mastodon_update_check.domain.notices import UpdateType
from mastodon_update_check.monitoring.status import StatusReport

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry, Gauge


PREFIX = "mastodon_update_check"
DAY_SECONDS = 86_400


def render(report: StatusReport) -> bytes:
    """Return the metrics in Prometheus' text format."""
    from prometheus_client import CollectorRegistry, generate_latest

    registry = CollectorRegistry()
    _describe_server(_gauges(registry), report)
    _describe_checks(_gauges(registry), report)
    _describe_outbox(_gauges(registry), report)
    return generate_latest(registry)


NewGauge = Callable[[str, str, tuple[str, ...]], "Gauge"]


def _gauges(registry: "CollectorRegistry") -> NewGauge:
    from prometheus_client import Gauge

    return lambda name, help_, labels: Gauge(f"{PREFIX}_{name}", help_, labels, registry=registry)


def _describe_server(gauge: NewGauge, report: StatusReport) -> None:
    known, instance = report.known, report.settings.instance
    info = gauge("info", "This program, and the server it runs beside.", ("server", "version", "installed_version"))
    info.labels(instance, __version__, known.installed.text if known.installed else "").set(1)
    pending = gauge(
        "updates_pending", "Releases newer than the installed one, by how far they go.", ("server", "type", "urgent")
    )
    for kind in UpdateType:
        for urgent in (False, True):
            found = [one for one in known.pending() if (one.type, one.urgent) == (kind, urgent)]
            pending.labels(instance, str(kind), str(urgent).lower()).set(len(found))
    gauge("urgent_updates_to_act_on", "Urgent updates that this server should install.", ("server",)).labels(
        instance
    ).set(report.urgent_to_act_on)
    gauge(
        "support_end_timestamp_seconds",
        "When support of the installed branch ends (its last day has passed then); 0 while that is not known.",
        ("server",),
    ).labels(instance).set(_end_of(known.support_ends_on))


def _describe_checks(gauge: NewGauge, report: StatusReport) -> None:
    known = report.known
    for name, help_, value in (
        (
            "status",
            "The exit code of `status`: 0 ok, 1 warning, 2 critical, 3 unknown.",
            report.verdict.level,
        ),
        ("check_interval_seconds", "Time between checks.", report.settings.interval.total_seconds()),
        ("last_check_timestamp_seconds", "When the last check ended; 0 before the first.", _epoch(known.checked_at)),
        (
            "last_successful_check_timestamp_seconds",
            "When the last check that worked ended; 0 before the first.",
            _epoch(known.good_at),
        ),
        ("failed_checks", "Checks that have failed in a row.", known.failures),
        ("metrics_timestamp_seconds", "When these metrics were written.", _epoch(report.now)),
    ):
        gauge(name, help_, ("server",)).labels(report.settings.instance).set(value)


def _describe_outbox(gauge: NewGauge, report: StatusReport) -> None:
    instance, outbox = report.settings.instance, report.outbox
    accounts = {account.name: account for account in outbox.sinks}
    waiting = gauge("messages_undelivered", "Messages that nobody has accepted yet.", ("server", "sink"))
    failing = gauge("sink_failing", "Whether a sink accepts nothing at the moment.", ("server", "sink"))
    sent = gauge(
        "last_delivery_timestamp_seconds", "When a sink last delivered something; 0 for never.", ("server", "sink")
    )
    for name in report.settings.sink_names:
        account = accounts.get(name)
        waiting.labels(instance, name).set(account.undelivered if account else 0)
        failing.labels(instance, name).set(bool(account and (account.failing_since or account.is_stopped)))
        sent.labels(instance, name).set(_epoch(account.sent_at if account else None))
    gauge(
        "oldest_undelivered_timestamp_seconds",
        "Since when the oldest undelivered message has been waiting; 0 when nothing waits.",
        ("server",),
    ).labels(instance).set(_epoch(outbox.waiting_since))


def _epoch(instant: datetime | None) -> float:
    return 0 if instant is None else instant.timestamp()


def _end_of(day: date | None) -> float:
    """Return the end of a day, UTC."""
    return 0 if day is None else datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp() + DAY_SECONDS
