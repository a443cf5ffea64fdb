"""The daemon on one node: `python node.py HOST`. All nodes of a test are one machine; only their names differ."""

import gc
import signal
import sys

from mastodon_update_check import daemon
from mastodon_update_check.app import App
from mastodon_update_check.commands.common import load_app


def load() -> App:
    """Return the program as it is configured, on the host that was named."""
    app = load_app()
    app.host = sys.argv[1]
    return app


if __name__ == "__main__":
    signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGTERM, signal.SIGINT, signal.SIGHUP))
    gc.disable()
    daemon.run(load)
