"""A bound on the whole time of a conversation: name resolution, every address of a host, login, and the rest.

Time-outs of socket libraries bound each step. They do not bound a name with many silent addresses, a resolver that
hangs, or a peer that sends one byte every few seconds.
"""

import os
import socket
import threading
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, Generic, TypeVar

T = TypeVar("T")

GRACE_SECONDS = 1.0
"""How long work may take to return after its sockets were shut down."""


class TimeLimitError(Exception):
    """The conversation took longer than its limit; nothing is sent after this."""

    def __init__(self, limit: timedelta) -> None:
        super().__init__(f"took longer than {limit.total_seconds():g} s in all")


class SocketGuard:
    """Shuts the sockets of a conversation down when its time is up."""

    def __init__(self) -> None:
        self.expired = False
        self.has_sockets = False
        self._sockets: list[socket.socket] = []

    def guard(self, sock: socket.socket) -> None:
        """Add a connection; if time is up already, it is shut down at once, so that nothing can be sent over it.

        A duplicate is kept: TLS takes the descriptor over, but a shutdown reaches the connection by any of them.
        """
        duplicate = socket.socket(fileno=os.dup(sock.fileno()))
        self._sockets.append(duplicate)
        self.has_sockets = True
        if self.expired:
            _shut_down(duplicate)

    def trace(self, event: str, info: Mapping[str, Any]) -> None:
        """Add each connection that httpcore opens (the `trace` extension of httpx)."""
        if event == "connection.connect_tcp.complete":
            self.guard(info["return_value"].get_extra_info("socket"))

    def expire(self) -> None:
        """Shut every connection down, now and from now on."""
        self.expired = True
        for sock in tuple(self._sockets):
            _shut_down(sock)

    def release(self) -> None:
        """Close the duplicates."""
        while self._sockets:
            self._sockets.pop().close()


def run_within(limit: timedelta, work: Callable[[SocketGuard], T]) -> T:
    """Return what `work` returns, or raise what it raises, unless it takes longer than `limit`.

    `work` runs in a daemon thread and hands each socket to its guard. When time is up the sockets are shut down, and a
    thread that hangs elsewhere, in the resolver for example, is left behind; a result that `work` still returns counts.

    Raises:
        TimeLimitError: time is up.
    """
    run = _Run(work)
    threading.Thread(target=run.run, name="conversation", daemon=True).start()
    if not run.finished.wait(limit.total_seconds()):
        run.guard.expire()
        run.finished.wait(GRACE_SECONDS if run.guard.has_sockets else 0)
    if run.results:
        return run.results[0]
    if run.error is not None and not run.guard.expired:
        raise run.error
    raise TimeLimitError(limit) from run.error


class _Run(Generic[T]):
    """One call, and its outcome."""

    def __init__(self, work: Callable[[SocketGuard], T]) -> None:
        self.guard = SocketGuard()
        self.finished = threading.Event()
        self.results: list[T] = []
        self.error: BaseException | None = None
        self._work = work

    def run(self) -> None:
        try:
            self.results.append(self._work(self.guard))
        except BaseException as error:  # noqa: BLE001 - raised again where the result is awaited
            self.error = error
        finally:
            self.guard.release()
            self.finished.set()


def _shut_down(sock: socket.socket) -> None:
    # The other side may have gone first, and the duplicate may be closed: in both cases nothing is left to end.
    try:
        sock.shutdown(socket.SHUT_RDWR)
    except OSError:
        return
