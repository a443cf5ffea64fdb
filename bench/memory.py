"""Memory: the idle daemon with every sink configured, against an idle Alertmanager."""

import socket
import subprocess
import time
import urllib.request
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from bench.figure import Amount, Ratio, alternate
from bench.postgres import postgres_ledger
from bench.stage import HERE, PROGRAMS, Stage

LIMIT = 1.0
POSTGRESQL_LIMIT_MB = 40.0
ROUNDS = 5
CHECKS = 4
"""How many checks, each with its deliveries, the daemon has behind it."""
IDLE_SECONDS = 2.0
ALERTMANAGER = HERE.parent / "build" / "alertmanager"
_CONFIG = "route: {receiver: none}\nreceivers: [{name: none}]\n"


def measure_sqlite(stage: Stage) -> Ratio:
    """Measure the daemon with its ledger in a file."""
    if not ALERTMANAGER.exists():
        raise FileNotFoundError(f"no {ALERTMANAGER}: `make build/alertmanager` takes it from Debian's package")
    return Ratio(
        ours=f"the daemon between jobs, resident, after {CHECKS} checks; email, log, webhook, apprise; SQLite ledger",
        reference="Alertmanager, idle, minimal configuration, no cluster",
        unit="MB",
        pairs=alternate(lambda: _alertmanager(stage), lambda: _daemon(stage, {}), ROUNDS),
        limit=LIMIT,
    )


def measure_postgresql(stage: Stage) -> Amount:
    """Measure the daemon with its ledger in PostgreSQL."""
    with postgres_ledger() as url:
        figures = sorted(_daemon(stage, {"UPDATE_CHECK_LEDGER": url}) for _ in range(ROUNDS))
    return Amount(
        ours="the same daemon with its ledger in PostgreSQL (psycopg[binary] brings a libpq of its own)",
        unit="MB",
        amount=figures[ROUNDS // 2],
        limit=POSTGRESQL_LIMIT_MB,
    )


def _daemon(stage: Stage, settings: Mapping[str, str]) -> float:
    stage.forget()
    command = [str(PROGRAMS / "mastodon-update-check"), "run"]
    with stage.running(command, {**stage.settings, **stage.every_sink, **settings}) as process:
        stage.updates.wait_for(CHECKS)
        while _has_children(process):  # a check is due each second
            time.sleep(0.01)
        return _resident_megabytes(process)


def _has_children(process: subprocess.Popen[bytes]) -> bool:
    """Return whether the main thread, which starts them all, has children."""
    return Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text() != ""


def _alertmanager(stage: Stage) -> float:
    config = stage.directory / "alertmanager.yml"
    config.write_text(_CONFIG)
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"127.0.0.1:{free.getsockname()[1]}"
    command = (
        *(str(ALERTMANAGER), f"--config.file={config}", f"--storage.path={stage.directory / 'alertmanager'}"),
        *(f"--web.listen-address={address}", "--cluster.listen-address="),
    )
    directory = ALERTMANAGER.parent / "packages"  # with its template
    with subprocess.Popen(command, cwd=directory, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            _wait_until_ready(f"http://{address}/-/ready", process)
            time.sleep(IDLE_SECONDS)
            return _resident_megabytes(process)
        finally:
            process.terminate()


def _wait_until_ready(url: str, process: subprocess.Popen[bytes]) -> None:
    while process.poll() is None:
        with suppress(OSError), urllib.request.urlopen(url):  # noqa: S310 - a URL of our own
            return
        time.sleep(0.05)
    raise RuntimeError(f"Alertmanager ended with exit status {process.returncode}")


def _resident_megabytes(process: subprocess.Popen[bytes]) -> float:
    """Return the memory that a process holds now."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmRSS:"))
    return int(line.split()[1]) / 1024
