"""Growth: how much memory 500 checks and rounds of delivery in one process leave behind."""

import subprocess
import sys

from bench.stage import HERE, Stage


def show(stage: Stage) -> int:
    """Print the memory after every hundred checks, and the slope of the last four hundred."""
    command = [sys.executable, "-P", str(HERE / "many_checks.py")]
    return subprocess.run(command, env=stage.settings, check=False).returncode
