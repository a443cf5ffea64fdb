"""The daemon, but that it writes down which modules are loaded: when it is ready, and at each SIGUSR1.

Run as a script with the two files as arguments; it loads nothing that the daemon does not.
"""

import os
import signal
import sys

from mastodon_update_check.cli.main import main
from mastodon_update_check.daemon.systemd import SystemdNotifier


def _write(path: str) -> None:
    with open(path + ".part", "w") as file:  # noqa: PTH123 - pathlib might be what the daemon does not load
        file.write("\n".join(sys.modules))
    os.replace(path + ".part", path)  # noqa: PTH105 - the same


def _ready(notifier: SystemdNotifier) -> None:
    _write(when_ready)
    _say_ready(notifier)


if __name__ == "__main__":
    when_ready, when_idle = sys.argv[1:]
    sys.argv[1:] = ["run"]
    _say_ready = SystemdNotifier.ready
    SystemdNotifier.ready = _ready  # type: ignore[assignment, method-assign]
    signal.signal(signal.SIGUSR1, lambda *_: _write(when_idle))
    main()
