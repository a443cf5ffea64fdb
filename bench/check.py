"""Check: one whole `check` process that finds nothing new, against nvchecker looking at the same server."""

import subprocess
import time
from collections.abc import Mapping

from bench.claim import Claim, alternate
from bench.stage import PROGRAMS, Stage

LIMIT = 2.0
_NVCHECKER = """\
[__config__]
oldver = "{directory}/old.json"
newver = "{directory}/new.json"

[mastodon]
source = "regex"
url = "{url}"
regex = '"version": "([0-9.]+)"'
"""


def measure(stage: Stage, rounds: int = 21) -> Claim:
    """Measure whole processes; both keep what they know in a file, and both have been told of the release before."""
    config = stage.directory / "nvchecker.toml"
    config.write_text(_NVCHECKER.format(directory=stage.directory, url=stage.updates.url))
    nvchecker = [str(PROGRAMS / "nvchecker"), "--file", str(config)]
    program = [str(PROGRAMS / "mastodon-update-check"), "check"]
    return Claim(
        name="check",
        our_name="one `check` with nothing new to tell",
        reference_name="one nvchecker process asking the same server",
        unit="ms",
        pairs=alternate(lambda: _time(nvchecker, stage.environment), lambda: _time(program, stage.settings), rounds),
        limit=LIMIT,
    )


def _time(command: list[str], environment: Mapping[str, str]) -> float:
    began = time.perf_counter()
    subprocess.run(command, env=environment, check=True, capture_output=True)
    return (time.perf_counter() - began) * 1000
