"""The process that carries Apprise for one message: a program of its own, started by `sinks.apprise`.

The URL must be in no argument list and no environment: it comes by standard input, as JSON, with the message, and the
answer goes to standard output. This file imports nothing of ours, and uses only features that every Apprise since 1.2
has: the installed one may be Debian's.
"""

import json
import logging
import os
import sys
from typing import Any

NOTES_KEPT = 5
NOTE_CHARACTERS = 1000


class NotesHandler(logging.Handler):
    """Keeps what Apprise logs about its failures: it returns no more than yes or no."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one line."""
        self.lines = [*self.lines, record.getMessage()[:NOTE_CHARACTERS]][-NOTES_KEPT:]


def main() -> None:
    """Send the message that standard input holds; answer whether the URL was understood and the message accepted."""
    order = json.load(sys.stdin)
    sys.path[:] = order["path"]
    os.environ.update(order["environment"])
    notes = NotesHandler()
    logger = logging.getLogger("apprise")
    logger.addHandler(notes)
    logger.propagate = False
    service = _service(order["url"])
    accepted = service is not None and service.notify(
        title=order["title"], body=order["body"], notify_type=order["type"], body_format="text"
    )
    answer = {"understood": service is not None, "accepted": bool(accepted), "notes": notes.lines}
    print(json.dumps(answer))  # noqa: T201 - the protocol


def _service(url: str) -> Any:  # noqa: ANN401 - Apprise's own types differ from version to version
    """Return what Apprise makes of the URL; None when it does not understand it."""
    from apprise import Apprise

    service = Apprise()
    if not service.add(url):
        return None
    one: Any
    for one in service:
        if "overflow=" not in url:
            one.overflow_mode = "truncate"  # a chat with a smaller limit gets the beginning
    return service


if __name__ == "__main__":
    main()
