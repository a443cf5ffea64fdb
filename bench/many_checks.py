"""Many checks in one process, each with its round of deliveries, and what memory is resident meanwhile; a script.

Prints the kilobytes after each tenth of the checks. The first tenth fills caches, and what the allocator keeps.
"""

import os
import sys
from pathlib import Path

from mastodon_update_check import logs
from mastodon_update_check.app import App
from mastodon_update_check.config import load_settings
from mastodon_update_check.jobs.rounds import deliver_round


def _kilobytes() -> int:
    status = Path("/proc/self/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:"))


def _work(app: App, number: int) -> int:
    for _ in range(number):
        with app.open_ledger() as ledger:
            app.check(ledger)
            deliver_round(app.couriers(ledger), app.clock())
    return _kilobytes()


if __name__ == "__main__":
    logs.configure("critical", "json", stream=Path(os.devnull).open("w"))  # noqa: SIM115 - as long as the process
    app = App(load_settings(os.environ))
    app.create_ledger().close()
    for _ in range(10):
        print(_work(app, int(sys.argv[1]) // 10), flush=True)
