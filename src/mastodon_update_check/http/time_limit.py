"""A bound on the whole time of a conversation: name resolution, every address of a host, login, and the rest.

Time-outs of socket libraries bound each step only.
"""

import errno
import os
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, wait
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, TypeVar

T = TypeVar("T")

GRACE_SECONDS = 1.0  # for work to return after its sockets were shut down


class TimeLimitError(Exception):
    """The conversation took longer than its limit; nothing is sent after this."""


class SocketGuard:
    """Shuts the sockets of a conversation down when its time is up."""

    def __init__(self) -> None:
        self.expired = False
        self._sockets: list[socket.socket] = []

    def guard(self, sock: socket.socket) -> None:
        """Add a connection; if time is up already, it is shut down at once, so that nothing can be sent over it.

        A duplicate is kept: TLS takes the descriptor over, but a shutdown reaches the connection by any of them.
        """
        self._sockets.append(socket.socket(fileno=os.dup(sock.fileno())))
        if self.expired:
            self.expire()

    def trace(self, event: str, info: Mapping[str, Any]) -> None:
        """Add each connection that httpcore opens (the `trace` extension of httpx)."""
        if event == "connection.connect_tcp.complete":
            self.guard(info["return_value"].get_extra_info("socket"))

    def expire(self) -> bool:
        """Shut every connection down, now and from now on; return whether there was one."""
        self.expired, found = True, tuple(self._sockets)
        for sock in found:
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:  # the other side has gone first, or the work has just ended
                continue
        return bool(found)

    def release(self) -> None:
        """Close the duplicates."""
        while self._sockets:
            self._sockets.pop().close()


@contextmanager
def deadline(total: timedelta) -> Iterator[SocketGuard]:
    """Shut guarded sockets down after `total`: for a conversation over an open connection."""
    guard = SocketGuard()
    timer = threading.Timer(total.total_seconds(), guard.expire)
    timer.daemon = True
    timer.start()
    try:
        yield guard
    finally:
        timer.cancel()
        guard.release()


def in_thread(function: Callable[[], T]) -> "Future[T]":
    """Start `function` in a thread that does not keep the process from ending; the future has its result or error."""
    future: Future[T] = Future()

    def run() -> None:
        try:
            future.set_result(function())
        except BaseException as error:  # noqa: BLE001 - raised again where the result is read
            future.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    return future


def run_within(limit: timedelta, work: Callable[[SocketGuard], T]) -> T:
    """Return what `work` returns, or raise what it raises, unless it takes longer than `limit`: `TimeLimitError`.

    `work` runs in a daemon thread and hands each socket to its guard. When time is up the sockets are shut down, and a
    thread that hangs elsewhere, in the resolver for example, is left behind; a result that `work` still returns counts.
    An `OSError` is raised when no thread can be started.
    """
    guard = SocketGuard()

    def run() -> T:
        try:
            return work(guard)
        finally:
            guard.release()

    try:
        future = in_thread(run)
    except RuntimeError as error:  # the limit on tasks is reached
        raise OSError(errno.EAGAIN, os.strerror(errno.EAGAIN)) from error
    if not wait([future], limit.total_seconds()).done and guard.expire():
        wait([future], GRACE_SECONDS)
    failure = future.exception() if future.done() else None
    if future.done() and not (failure and guard.expired):
        return future.result()
    raise TimeLimitError(f"took longer than {limit.total_seconds():g} s in all") from failure
