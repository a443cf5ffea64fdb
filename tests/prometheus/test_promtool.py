"""What promtool says of the metrics: `make rules`, not `make test`."""

import subprocess
from pathlib import Path

from mastodon_update_check.monitoring.metrics import render
from monitoring.test_metrics import NEW

PROMTOOL = Path(__file__).parents[2] / "build/promtool"


def test_promtool_has_nothing_to_say() -> None:
    """Names, units and help are as Prometheus wants them."""
    finished = subprocess.run([PROMTOOL, "check", "metrics"], input=render(NEW), capture_output=True, check=False)
    assert (0, b"", b"") == (finished.returncode, finished.stdout, finished.stderr)
