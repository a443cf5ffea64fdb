"""The metrics: what they say of a server, and how the file is written."""

import os
import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from domain.examples import update, version
from mastodon_update_check.domain.server_state import ServerState
from mastodon_update_check.ledger.summary import OutboxSummary, SinkAccount
from mastodon_update_check.monitoring.metrics import MetricsFile, Standing, render

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
RULES = Path(__file__).parents[2] / "packaging/prometheus/mastodon-update-check.rules.yml"
EMPTY = OutboxSummary(deferred=0, failed=0, held_back=0, waiting_since=None, sinks=())
NEW = Standing(
    instance="social.example",
    knowledge=ServerState(),
    outbox=EMPTY,
    sinks=("email", "log"),
    level=3,
    interval=timedelta(minutes=30),
    now=NOW,
)


def read(standing: Standing) -> dict[tuple[str, ...], float]:
    """Return each value by name and labels, without the prefix and the instance."""
    found = {}
    for family in text_string_to_metric_families(render(standing).decode()):
        assert ("gauge", True) == (family.type, bool(family.documentation))
        for sample in family.samples:
            assert "social.example" == sample.labels.pop("instance")
            found[sample.name.removeprefix("mastodon_update_check_"), *sample.labels.values()] = sample.value
    return found


def test_every_set_of_labels_is_there_before_the_first_check() -> None:
    """An alert on a series that is missing never fires; what is not known yet is 0."""
    values = read(NEW)
    kinds = {(kind, urgent) for kind in ("patch", "minor", "major") for urgent in ("true", "false")}
    assert kinds == {labels[1:] for labels in values if labels[0] == "updates_pending"}
    assert {"email", "log"} == {labels[1] for labels in values if labels[0] == "messages_undelivered"}
    assert 0 == values["last_successful_check_timestamp_seconds",] == values["support_end_timestamp_seconds",]
    assert (3, 1800, NOW.timestamp()) == (
        values["status",],
        values["check_interval_seconds",],
        values["metrics_timestamp_seconds",],
    )


def test_values_are_those_of_the_ledger() -> None:
    """Versions, instants and counts, as `status` shows them."""
    known = ServerState(
        installed=version("4.5.19"),
        updates=(update("4.5.20", urgent=True), update("4.6.1"), update("4.6.2")),
        support_ends_on=date(2026, 12, 17),
        checked_at=NOW,
        good_at=NOW - timedelta(hours=1),
        failures=2,
    )
    mail = SinkAccount(
        name="email",
        settings="",
        undelivered=3,
        failing_since=NOW,
        retry_at=None,
        is_stopped=False,
        reply="",
        sent_at=NOW - timedelta(days=1),
    )
    outbox = replace(EMPTY, waiting_since=NOW - timedelta(hours=7), sinks=(mail,))
    values = read(replace(NEW, knowledge=known, outbox=outbox, level=2))
    assert 1 == values["updates_pending", "patch", "true"]
    assert (0, 2) == (values["updates_pending", "patch", "false"], values["updates_pending", "minor", "false"])
    assert 1 == values["urgent_updates_to_act_on",]
    assert datetime(2026, 12, 18, tzinfo=UTC).timestamp() == values["support_end_timestamp_seconds",]
    assert (2, (NOW - timedelta(hours=1)).timestamp()) == (
        values["failed_checks",],
        values["last_successful_check_timestamp_seconds",],
    )
    assert (3, 0) == (values["messages_undelivered", "email"], values["messages_undelivered", "log"])
    assert (1, 0) == (values["sink_failing", "email"], values["sink_failing", "log"])
    assert (NOW - timedelta(days=1)).timestamp() == values["last_delivery_timestamp_seconds", "email"]
    assert (NOW - timedelta(hours=7)).timestamp() == values["oldest_undelivered_timestamp_seconds",]


def test_rules_speak_of_metrics_that_exist() -> None:
    """No alert waits for a name that nobody writes."""
    names = set(re.findall(r"mastodon_update_check_\w+", RULES.read_text()))
    assert names
    assert names <= set(re.findall(r"^(\w+)", render(NEW).decode(), re.MULTILINE))


def test_file_is_replaced_whole_and_readable_by_all(tmp_path: Path) -> None:
    """Whoever reads sees the old or the new whole, whatever the umask; nothing is left beside it."""
    path = tmp_path / "update_check.prom"
    path.write_text("old")
    before = os.umask(0o077)
    try:
        with path.open() as reader:
            MetricsFile(path).write(NEW)
            assert "old" == reader.read()
    finally:
        os.umask(before)
    assert render(NEW) == path.read_bytes()
    assert 0o644 == path.stat().st_mode & 0o777
    assert [path] == [*tmp_path.iterdir()]


def test_file_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    """The reason names the path; it is gone with the next one that is written."""
    metrics = MetricsFile(tmp_path / "missing" / "x.prom")
    metrics.write(NEW)
    assert (f"the metrics cannot be written to {metrics.path}: no such file or directory",) == metrics.warnings
    (tmp_path / "missing").mkdir()
    metrics.write(NEW)
    assert [] == [*metrics.warnings]
