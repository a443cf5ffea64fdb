"""Bounds on the whole time of a conversation."""

import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from datetime import timedelta

import pytest

from fetching import failure
from mastodon_update_check.http.request import DOCUMENT
from mastodon_update_check.http.time_limit import SocketGuard, TimeLimitError, deadline, run_within
from simulators.http_server import HttpServer, Reply
from simulators.silence import resolve_to, silent_port

SHORT = timedelta(seconds=0.1)
LONG = timedelta(seconds=30)
PATIENCE_SECONDS = 30


@contextmanager
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Return the two ends of a connection; a reader gives up in the end."""
    with ExitStack() as stack:
        ours, theirs = (stack.enter_context(sock) for sock in socket.socketpair())
        ours.settimeout(PATIENCE_SECONDS)
        theirs.settimeout(PATIENCE_SECONDS)
        yield ours, theirs


@pytest.mark.parametrize("error", [OSError("gone"), TimeoutError("a step took too long"), KeyboardInterrupt()])
def test_error_is_raised(error: BaseException) -> None:
    """Work that fails in time raises its own error; a time-out of one step is not the whole limit."""

    def fail(_: SocketGuard) -> None:
        raise error

    with pytest.raises(type(error)) as caught:
        run_within(LONG, fail)
    assert caught.value is error


def test_no_thread_can_be_started(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the limit on tasks is reached, the conversation fails and nothing else does."""

    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    error = failure("http://updates.example/")
    assert error.detail == "updates.example cannot be reached: resource temporarily unavailable"


def test_result_after_the_shutdown_counts() -> None:
    """A receiver that has accepted a message, and then dribbles the rest of its answer, has accepted it."""
    with pair() as (ours, _):

        def read(guard: SocketGuard) -> str:
            guard.guard(ours)
            ours.recv(1)
            return f"accepted, cut short: {guard.expired}"

        assert run_within(SHORT, read) == "accepted, cut short: True"


def test_late_connection_carries_nothing() -> None:
    """A connection that comes about after the limit is shut down before anything can be sent."""
    late, done = threading.Event(), threading.Event()
    outcome: list[str] = []
    with pair() as (ours, theirs):

        def connect(guard: SocketGuard) -> None:
            late.wait(PATIENCE_SECONDS)
            guard.guard(ours)
            try:
                ours.sendall(b"x")
            except BrokenPipeError as error:
                outcome.append(type(error).__name__)
            done.set()

        with pytest.raises(TimeLimitError):
            run_within(SHORT, connect)
        late.set()
        assert done.wait(PATIENCE_SECONDS)
        assert (outcome, theirs.recv(1)) == (["BrokenPipeError"], b"")


def test_process_ends_beside_work_that_hangs() -> None:
    """A resolver that never returns does not keep a process alive."""
    program = (
        "import time\nfrom datetime import timedelta\nfrom mastodon_update_check.http.time_limit import *\n"
        "try:\n    run_within(timedelta(seconds=0.1), lambda _: time.sleep(600))\nexcept TimeLimitError as error:\n"
        "    print(error)"
    )
    finished = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert finished.stdout == "took longer than 0.1 s in all\n"


def test_resolver_that_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Name resolution counts."""
    released = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_keywords: released.wait(PATIENCE_SECONDS) and [])
    error = failure("http://updates.example/", limits=replace(DOCUMENT, total=SHORT))
    released.set()
    assert error.detail == "updates.example took longer than 0.1 s in all"


def test_many_silent_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Eight addresses of 0.05 s each end after 0.2 s; nothing is sent to the ninth, which would answer."""
    with silent_port() as silent, HttpServer(lambda _: Reply.json({})) as server:
        resolve_to(monkeypatch, [*8 * [silent], server.port])
        limits = replace(DOCUMENT, connect=timedelta(seconds=0.05), total=timedelta(seconds=0.2))
        error = failure("http://updates.example/", limits=limits)
        assert error.detail == "updates.example took longer than 0.2 s in all"
        time.sleep(0.5)
        assert server.requests == []


def test_reader_is_ended() -> None:
    """The connection is shut down when time is up, also one that is guarded later."""
    ours, theirs = socket.socketpair()
    with closing(ours), closing(theirs), deadline(timedelta(seconds=0.05)) as guard:
        ours.settimeout(30)
        theirs.settimeout(30)
        guard.guard(ours)
        assert ours.recv(1) == b""
        assert guard.expired
        other, end = socket.socketpair()
        with closing(other), closing(end):
            guard.guard(other)
            assert end.recv(1) == b""


def test_connection_outlives_a_conversation_in_time() -> None:
    """Nothing is shut down or kept open afterwards."""
    ours, theirs = socket.socketpair()
    with closing(ours), closing(theirs):
        with deadline(timedelta(hours=1)) as guard:
            guard.guard(ours)
        ours.sendall(b"x")
        assert theirs.recv(1) == b"x"
        ours.close()
        assert (theirs.recv(1), guard.expired) == (b"", False)
