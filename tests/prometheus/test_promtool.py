"""The metrics and alert rules in the hands of Prometheus' own programs: `make rules`, not `make test`."""

import json
import subprocess
import time
import urllib.request
from dataclasses import replace
from pathlib import Path

from mastodon_update_check.monitoring.metrics import render
from monitoring.examples import NEW, URGENT, of_server
from simulators.http_server import unused_port

ROOT = Path(__file__).parents[2]
PROGRAMS = ROOT / "build" / "prometheus" / "usr" / "bin"
RULES = ROOT / "packaging" / "prometheus" / "mastodon-update-check.rules.yml"


def test_promtool_finds_no_problem() -> None:
    """Names, units and help follow Prometheus' conventions."""
    command = [str(PROGRAMS / "promtool"), "check", "metrics"]
    finished = subprocess.run(command, input=render(NEW), capture_output=True, check=False)
    assert (finished.returncode, finished.stdout, finished.stderr) == (0, b"", b"")


def test_two_servers_behind_one_node_exporter(tmp_path: Path) -> None:
    """Two servers on one host, scraped with default settings, raise two alerts that name their domains."""
    servers = ("one.example", "two.example")
    textfiles = tmp_path / "textfiles"
    textfiles.mkdir()
    for domain in servers:
        (textfiles / f"{domain}.prom").write_bytes(render(of_server(replace(NEW, known=URGENT), domain)))
    exporter, prometheus = unused_port(), unused_port()
    configuration = tmp_path / "prometheus.yml"
    configuration.write_text(
        f"""
        global: {{ scrape_interval: 1s, evaluation_interval: 1s }}
        rule_files: [{RULES}]
        scrape_configs: [{{ job_name: node, static_configs: [{{ targets: ["127.0.0.1:{exporter}"] }}] }}]
        """
    )
    node_exporter = ["--collector.disable-defaults", "--collector.textfile"]
    node_exporter += (f"--collector.textfile.directory={textfiles}", f"--web.listen-address=127.0.0.1:{exporter}")
    server = [f"--config.file={configuration}", f"--storage.tsdb.path={tmp_path / 'data'}"]
    server += (f"--web.listen-address=127.0.0.1:{prometheus}",)
    with (tmp_path / "log").open("wb") as log:
        processes = [
            subprocess.Popen([str(PROGRAMS / name), *arguments], stdout=log, stderr=log)
            for name, arguments in (("prometheus-node-exporter", node_exporter), ("prometheus", server))
        ]
    try:
        alerts = _wait_for_alerts(f"http://127.0.0.1:{prometheus}/api/v1/alerts", len(servers))
    finally:
        for process in processes:
            process.terminate()
            process.wait(20)
    assert {alert["labels"]["instance"] for alert in alerts} == {f"127.0.0.1:{exporter}"}
    assert sorted(alert["annotations"]["summary"] for alert in alerts) == [
        f"{domain} needs an urgent Mastodon update" for domain in servers
    ]


def _wait_for_alerts(url: str, count: int) -> list[dict[str, dict[str, str]]]:
    """Return the firing alerts about urgent updates, as soon as there are so many."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310 - on loopback
                alerts = json.load(answer)["data"]["alerts"]
        except OSError:  # it is starting
            alerts = []
        found = [
            alert
            for alert in alerts
            if alert["labels"]["alertname"] == "MastodonUrgentUpdate" and alert["state"] == "firing"
        ]
        if len(found) == count:
            return found
        time.sleep(0.2)
    raise AssertionError(url)
