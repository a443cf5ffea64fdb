"""A bound on a conversation with PostgreSQL, from the open connection on: `http.time_limit` bounds the login too."""

import threading
from datetime import timedelta
from typing import Self

from mastodon_update_check.http.time_limit import SocketGuard

CONNECT_SECONDS = 5.0
READ_SECONDS = 10.0


class Deadline(SocketGuard):
    """Shuts guarded sockets down after `total`, as a context manager; `expired` says whether it did."""

    def __init__(self, total: timedelta) -> None:
        super().__init__()
        self._timer = threading.Timer(total.total_seconds(), self.expire)
        self._timer.daemon = True

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
        self.release()
