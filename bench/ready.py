"""Time to READY: from the daemon's start until it tells systemd, against a process that only imports the same."""

import time

from bench.claim import Claim, alternate
from bench.modules import list_loaded, reference_command
from bench.stage import PROGRAMS, Stage

LIMIT = 1.30


def measure(stage: Stage, rounds: int = 15) -> Claim:
    """Measure the time to `READY=1`."""
    modules = list_loaded(stage).when_ready
    count = len(modules.read_text().split())

    def reference() -> float:
        began = time.perf_counter()
        with stage.running(reference_command(modules), stage.environment):
            return (time.perf_counter() - began) * 1000

    def ours() -> float:
        began = time.perf_counter()
        with stage.running([str(PROGRAMS / "mastodon-update-check"), "run"], stage.settings):
            return (time.perf_counter() - began) * 1000

    return Claim(
        name="ready",
        our_name="the daemon's start until READY=1",
        reference_name=f"a process that imports the same {count} modules of others",
        unit="ms",
        pairs=alternate(reference, ours, rounds),
        limit=LIMIT,
    )
