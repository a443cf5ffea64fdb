"""Time to READY: from the daemon's start until it notifies systemd, against a process that imports five libraries."""

import sys
import time
from collections.abc import Mapping

from bench.figure import Ratio, alternate
from bench.stage import PROGRAMS, Stage

LIMIT = 1.6
ROUNDS = 15
_REFERENCE = """\
import httpx, pydantic_settings, apscheduler.schedulers.background, structlog, sdnotify, signal
sdnotify.SystemdNotifier().notify("READY=1")
signal.pause()
"""


def measure(stage: Stage) -> Ratio:
    """Measure the time to `READY=1`."""

    def time_of(command: list[str], settings: Mapping[str, str]) -> float:
        began = time.perf_counter()
        with stage.running(command, settings):
            return (time.perf_counter() - began) * 1000

    ours = [str(PROGRAMS / "mastodon-update-check"), "run"]
    reference = [sys.executable, "-c", _REFERENCE]
    return Ratio(
        ours="the daemon's start until READY=1",
        reference="a process that imports httpx, pydantic-settings, APScheduler, structlog and sdnotify",
        unit="ms",
        pairs=alternate(lambda: time_of(reference, stage.environment), lambda: time_of(ours, stage.settings), ROUNDS),
        limit=LIMIT,
    )
