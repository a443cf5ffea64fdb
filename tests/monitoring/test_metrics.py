"""The metrics: what they say of a server, and how the file is written."""

import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from domain.examples import update, version
from mastodon_update_check.domain.server.state import ServerState
from mastodon_update_check.domain.server.status import Level, Verdict
from mastodon_update_check.ledger.summary import SinkAccount
from mastodon_update_check.monitoring.metrics import render
from mastodon_update_check.monitoring.status import StatusReport
from monitoring.examples import EMPTY_OUTBOX, NEW, NOW

CRITICAL = Verdict(level=Level.CRITICAL, sentences=())
RULES = Path(__file__).parents[2] / "packaging/prometheus/mastodon-update-check.rules.yml"


def read(report: StatusReport) -> dict[tuple[str, ...], float]:
    """Return each value by name and labels, without the prefix and the instance."""
    found = {}
    for family in text_string_to_metric_families(render(report).decode()):
        assert (family.type, bool(family.documentation)) == ("gauge", True)
        for sample in family.samples:
            assert sample.labels.pop("server") == "social.example"
            found[sample.name.removeprefix("mastodon_update_check_"), *sample.labels.values()] = sample.value
    return found


def test_every_set_of_labels_is_there_before_the_first_check() -> None:
    """An alert on a missing series never fires; unknown values are 0."""
    values = read(NEW)
    kinds = {(kind, urgent) for kind in ("patch", "minor", "major") for urgent in ("true", "false")}
    assert kinds == {labels[1:] for labels in values if labels[0] == "updates_pending"}
    assert {labels[1] for labels in values if labels[0] == "messages_undelivered"} == {"email", "log"}
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
    outbox = replace(EMPTY_OUTBOX, waiting_since=NOW - timedelta(hours=7), sinks=(mail,))
    values = read(replace(NEW, known=known, outbox=outbox, verdict=CRITICAL))
    assert values["updates_pending", "patch", "true"] == 1
    assert (values["updates_pending", "patch", "false"], values["updates_pending", "minor", "false"]) == (0, 2)
    assert values["urgent_updates_to_act_on",] == 1
    assert datetime(2026, 12, 18, tzinfo=UTC).timestamp() == values["support_end_timestamp_seconds",]
    assert (2, (NOW - timedelta(hours=1)).timestamp()) == (
        values["failed_checks",],
        values["last_successful_check_timestamp_seconds",],
    )
    assert (values["messages_undelivered", "email"], values["messages_undelivered", "log"]) == (3, 0)
    assert (values["sink_failing", "email"], values["sink_failing", "log"]) == (1, 0)
    assert (NOW - timedelta(days=1)).timestamp() == values["last_delivery_timestamp_seconds", "email"]
    assert (NOW - timedelta(hours=7)).timestamp() == values["oldest_undelivered_timestamp_seconds",]


def test_rules_speak_of_metrics_that_exist() -> None:
    """Each name in the alert rules is written."""
    names = set(re.findall(r"mastodon_update_check_\w+", RULES.read_text()))
    assert names
    assert names <= set(re.findall(r"^(\w+)", render(NEW).decode(), re.MULTILINE))
