"""The modules that a command imports, by cost: `python -X importtime`."""

import subprocess
import sys

from bench.stage import Stage

SHOWN = 40


def show(stage: Stage, command: list[str]) -> int:
    """Print the time that each module takes, without and with the modules that it imports in turn."""
    python = [sys.executable, "-X", "importtime", "-m", "mastodon_update_check", *command]
    for _ in range(2):  # the first run writes the bytecode
        run = subprocess.run(python, env=stage.settings, check=False, capture_output=True, text=True)
    rows = [line.removeprefix("import time:").split("|") for line in run.stderr.splitlines() if "import time:" in line]
    costs = [(int(alone), int(whole), name) for alone, whole, name in rows[1:]]
    print(f"{len(costs)} modules, {sum(alone for alone, _, _ in costs) / 1000:.1f} ms\n   alone     whole  (ms)")
    for alone, whole, name in sorted(costs, key=lambda cost: cost[1], reverse=True)[:SHOWN]:
        print(f"{alone / 1000:8.1f}  {whole / 1000:8.1f}  {name.rstrip()}")
    return 0
