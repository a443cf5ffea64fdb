"""A process that imports the modules that a file names, says that it is ready, and waits to be ended; a script."""

import contextlib
import os
import signal
import sys


def _import_all(path: str) -> None:
    with open(path) as file:  # noqa: PTH123 - pathlib might not be among the modules
        names = file.read().split("\n")
    for name in names:
        with contextlib.suppress(ImportError):  # some are made by others under names that cannot be imported
            __import__(name)


def _say_ready() -> None:
    import socket

    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
        notify.sendto(b"READY=1", os.environ["NOTIFY_SOCKET"])


if __name__ == "__main__":
    _import_all(sys.argv[1])
    _say_ready()
    signal.pause()
