"""Check: one whole `check` process that finds nothing new, against nvchecker with the same server."""

import subprocess
import time
from collections.abc import Mapping

from bench.figure import Ratio, alternate
from bench.stage import PROGRAMS, Stage

LIMIT = 1.5
ROUNDS = 21
_NVCHECKER = """\
[__config__]
oldver = "{directory}/old.json"
newver = "{directory}/new.json"

[mastodon]
source = "regex"
url = "{url}"
regex = '"version": "([0-9.]+)"'
"""


def measure(stage: Stage) -> Ratio:
    """Measure whole processes; both keep their state in a file, and have seen the release before."""
    config = stage.directory / "nvchecker.toml"
    config.write_text(_NVCHECKER.format(directory=stage.directory, url=stage.updates.url))
    nvchecker = [str(PROGRAMS / "nvchecker"), "--file", str(config)]
    program = [str(PROGRAMS / "mastodon-update-check"), "check"]
    return Ratio(
        ours="one `check` process that finds nothing new",
        reference="one nvchecker process, which asks the same server",
        unit="ms",
        pairs=alternate(lambda: _time(nvchecker, stage.environment), lambda: _time(program, stage.settings), ROUNDS),
        limit=LIMIT,
    )


def _time(command: list[str], environment: Mapping[str, str]) -> float:
    began = time.perf_counter()
    subprocess.run(command, env=environment, check=True, capture_output=True)
    return (time.perf_counter() - began) * 1000
