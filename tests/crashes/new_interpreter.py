"""Processes of the program in interpreters of their own, which count their steps."""

import subprocess
import sys
from pathlib import Path

from processes.starters import Order, Process

SITE = Path(__file__).parent / "site"


class NewInterpreter:
    """Starts a new interpreter each time, as an installed program does."""

    def start(self, order: Order) -> Process:
        with order.out.open("wb") as out, order.err.open("wb") as err:
            return subprocess.Popen(
                [sys.executable, "-m", "mastodon_update_check", *order.arguments],
                env={**order.environment, "PYTHONPATH": str(SITE), "PYTHONDONTWRITEBYTECODE": "1"},
                cwd=order.directory,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
            )
