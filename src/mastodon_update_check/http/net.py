"""A bound on the whole time of a conversation, name resolution aside: `http.time_limit` takes its place."""

import math
import os
import socket
import threading
import time
from collections.abc import Mapping
from datetime import timedelta
from types import TracebackType
from typing import Any, Self

CONNECT_SECONDS = 5.0
READ_SECONDS = 10.0


class Deadline:
    """Ends a conversation that takes longer than `total` in all, by shutting its sockets down.

    Used as a context manager; hand it each socket with `guard`, or pass `trace` to httpx as the request's
    `trace` extension. The reader then sees the connection end; `expired` tells why.
    """

    def __init__(self, total: timedelta) -> None:
        self.expired = False
        self.end = 0.0
        """When time is up, by the monotonic clock."""
        self._seconds = total.total_seconds()
        self._guarded: list[socket.socket] = []

    def __enter__(self) -> Self:
        self.end = time.monotonic() + self._seconds
        _WATCH.begin(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _WATCH.finish(self)
        self.let_go()

    def guard(self, sock: socket.socket) -> None:
        """End this connection too when time is up.

        A duplicate is kept: TLS takes the descriptor over, but a shutdown reaches the connection by any of them.
        """
        duplicate = socket.socket(fileno=os.dup(sock.fileno()))
        self._guarded.append(duplicate)
        if self.expired:
            _shut_down(duplicate)

    def let_go(self) -> None:
        """Guard what was guarded so far no longer: whoever has closed his end has ended the connection then."""
        while self._guarded:
            self._guarded.pop().close()

    def trace(self, event: str, info: Mapping[str, Any]) -> None:
        """Take each connection that httpcore opens (the `trace` extension of httpx)."""
        if event == "connection.connect_tcp.complete":
            self.guard(info["return_value"].get_extra_info("socket"))

    def expire(self) -> None:
        """End the conversation now."""
        self.expired = True
        for sock in tuple(self._guarded):
            _shut_down(sock)


class _Watch:
    """The thread that ends conversations whose time is up: one for all of them, which ends when there are none.

    A thread for each would cost as much as a command to a mail server nearby.
    """

    def __init__(self) -> None:
        self._running: set[Deadline] = set()
        self._change = threading.Condition()
        self._wakes_at = math.inf
        self._thread: threading.Thread | None = None

    def begin(self, deadline: Deadline) -> None:
        """Watch a conversation."""
        with self._change:
            self._running.add(deadline)
            if self._thread is None:
                self._thread = threading.Thread(target=self._watch, name="deadlines", daemon=True)
                self._thread.start()
            elif deadline.end < self._wakes_at:
                self._change.notify()

    def finish(self, deadline: Deadline) -> None:
        """Watch it no longer; the thread finds out when it looks next."""
        with self._change:
            self._running.discard(deadline)

    def _watch(self) -> None:
        with self._change:
            while self._running:
                self._wakes_at = min(deadline.end for deadline in self._running)
                self._change.wait(self._wakes_at - time.monotonic())
                for deadline in [one for one in self._running if one.end <= time.monotonic()]:
                    self._running.discard(deadline)
                    deadline.expire()
            self._thread, self._wakes_at = None, math.inf


_WATCH = _Watch()


def _shut_down(sock: socket.socket) -> None:
    # The other side may have gone first, and the owner may have closed the duplicate: both mean there is
    # nothing left to end.
    try:
        sock.shutdown(socket.SHUT_RDWR)
    except OSError:
        return
