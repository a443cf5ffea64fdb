"""Which modules of others the daemon has loaded, and a process that imports just these: the reference."""

import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from bench.stage import HERE, Stage

CHECKS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """Files that name modules, one a line, in the order in which the daemon began to load them."""

    when_ready: Path
    when_idle: Path
    """After several checks, and a delivery by each sink."""


def list_loaded(stage: Stage) -> Loaded:
    """Run the daemon once, and have it write down what is loaded."""
    loaded = Loaded(when_ready=stage.directory / "ready.modules", when_idle=stage.directory / "idle.modules")
    command = [sys.executable, "-P", str(HERE / "listing.py"), str(loaded.when_ready), str(loaded.when_idle)]
    with stage.running(command, stage.settings) as daemon:
        stage.updates.wait_for(CHECKS)
        daemon.send_signal(signal.SIGUSR1)
        while not loaded.when_idle.exists():
            time.sleep(0.05)
    for path in (loaded.when_ready, loaded.when_idle):
        path.write_text("\n".join(name for name in path.read_text().split("\n") if _is_of_others(name)))
    return loaded


def _is_of_others(name: str) -> bool:
    return name.partition(".")[0] not in {"mastodon_update_check", "__main__"}


def reference_command(modules: Path) -> list[str]:
    """Return the command of a process that imports these modules and says that it is ready."""
    return [sys.executable, "-P", str(HERE / "reference.py"), str(modules)]


def resident_megabytes(process: subprocess.Popen[bytes]) -> float:
    """Return the memory that a process holds at this moment."""
    status = Path("/proc", str(process.pid), "status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmRSS:"))
    return int(line.split()[1]) / 1024
