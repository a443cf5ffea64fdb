"""The process that carries Apprise for one message: a program of its own, started by `sinks.apprise`.

The daemon would grow by half if it loaded Apprise, and the URL must be in no argument list and no environment. Two
lines of JSON come by standard input, where to send and then the message; one line answers each. This file imports
nothing of ours, and stays with what every Apprise since 1.2 has: the one beside it may be Debian's.
"""

import json
import logging
import os
import sys
from typing import Any

NOTES_KEPT = 5


class Notes(logging.Handler):
    """Keeps what Apprise says of its failures: it returns no more than yes or no."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one line."""
        self.lines.append(record.getMessage())


def main() -> None:
    """Answer twice: whether the URL was understood, and whether the message was taken."""
    place = json.loads(sys.stdin.readline())
    sys.path[:] = place["path"]
    os.environ.update(place["environment"])
    notes = Notes()
    logger = logging.getLogger("apprise")
    logger.addHandler(notes)
    logger.propagate = False
    service = _service(place["url"])
    _answer(ok=service is not None, notes=notes)
    line = sys.stdin.readline()
    if service is None or not line:
        return
    message = json.loads(line)
    taken = service.notify(
        title=message["title"], body=message["body"], notify_type=message["type"], body_format="text"
    )
    _answer(ok=bool(taken), notes=notes)


def _service(url: str) -> Any:  # noqa: ANN401 - Apprise's own types differ from version to version
    """Return what Apprise makes of the URL; None when it does not understand it."""
    from apprise import Apprise

    service = Apprise()
    if not service.add(url):
        return None
    one: Any
    for one in service:
        if "overflow=" not in url:
            one.overflow_mode = "truncate"  # a chat that takes less gets less, instead of nothing
    return service


def _answer(*, ok: bool, notes: Notes) -> None:
    print(json.dumps({"ok": ok, "notes": notes.lines[-NOTES_KEPT:]}), flush=True)  # noqa: T201 - the protocol


if __name__ == "__main__":
    main()
