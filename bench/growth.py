"""Growth: how much memory 10,000 checks and rounds of delivery in one process leave behind."""

import subprocess
import sys

from bench.claim import Amount
from bench.stage import HERE, Stage

CHECKS = 10_000
LIMIT_MB = 1.0


def measure(stage: Stage, _: int = 1) -> Amount:
    """Measure from the first tenth of the checks, which fills caches, to the last.

    The allocator takes memory by the megabyte: one step is noise, a slope shows in the figures of the tenths.
    """
    command = [sys.executable, "-P", str(HERE / "many_checks.py"), str(CHECKS)]
    run = subprocess.run(command, env=stage.settings, check=True, capture_output=True, text=True)
    figures = [int(line) / 1024 for line in run.stdout.split()]
    return Amount(
        name="growth",
        what=f"{CHECKS:,} checks in one process; resident after each tenth: "
        + ", ".join(f"{figure:.1f}" for figure in figures),
        figure=figures[-1] - figures[0],
        unit="MB more at the end than after the first tenth",
        limit=LIMIT_MB,
    )
