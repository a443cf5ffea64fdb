"""Bounds on the whole time of a conversation."""

import socket
import threading
from contextlib import ExitStack
from datetime import timedelta

import pytest

from mastodon_update_check.http.net import Deadline

LONG = timedelta(hours=1)
SHORT = timedelta(seconds=0.05)
PATIENCE_SECONDS = 30


def watchers() -> int:
    """Return how many threads watch deadlines."""
    return sum(thread.name == "deadlines" for thread in threading.enumerate())


def pair(stack: ExitStack) -> tuple[socket.socket, socket.socket]:
    """Return the two ends of a connection; whoever reads gives up in the end."""
    ours, theirs = (stack.enter_context(sock) for sock in socket.socketpair())
    ours.settimeout(PATIENCE_SECONDS)
    return ours, theirs


def test_a_conversation_is_ended_when_its_time_is_up() -> None:
    """The reader sees the end of the connection, and can ask why."""
    with ExitStack() as stack:
        ours, _ = pair(stack)
        with Deadline(SHORT) as deadline:
            deadline.guard(ours)
            assert b"" == ours.recv(1)
            assert deadline.expired


def test_the_nearest_end_comes_first() -> None:
    """One that ends soon is not kept waiting by others that began before it, and leaves them alone."""
    with ExitStack() as stack:
        long_ours, long_theirs = pair(stack)
        short_ours, _ = pair(stack)
        with Deadline(LONG) as long:
            long.guard(long_ours)
            with Deadline(SHORT) as short:
                short.guard(short_ours)
                assert b"" == short_ours.recv(1)
            long_theirs.sendall(b"x")
            assert b"x" == long_ours.recv(1)
            assert (True, False) == (short.expired, long.expired)


def test_a_connection_that_comes_too_late() -> None:
    """It is ended at once."""
    with ExitStack() as stack:
        first, _ = pair(stack)
        second, _ = pair(stack)
        with Deadline(SHORT) as deadline:
            deadline.guard(first)
            assert b"" == first.recv(1)
            deadline.guard(second)
            assert b"" == second.recv(1)


def test_what_is_let_go_of_ends_with_its_owner() -> None:
    """A guarded connection stays open until then, whoever closes it."""
    with ExitStack() as stack:
        ours, theirs = pair(stack)
        theirs.settimeout(PATIENCE_SECONDS)
        with Deadline(LONG) as deadline:
            deadline.guard(ours)
            ours.close()
            deadline.let_go()
            assert b"" == theirs.recv(1)


@pytest.mark.parametrize("number", [1, 100])
def test_one_thread_watches_all(number: int) -> None:
    """However many conversations there are at once, or have been."""
    for _ in range(number):
        with Deadline(LONG), Deadline(LONG):
            assert 1 == watchers()
