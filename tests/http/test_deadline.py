"""The bound on a conversation over an open connection."""

import socket
from contextlib import closing
from datetime import timedelta

from mastodon_update_check.http.time_limit import Deadline


def test_reader_is_ended() -> None:
    """The connection is shut down when time is up, also one that is guarded later."""
    ours, theirs = socket.socketpair()
    with closing(ours), closing(theirs), Deadline(timedelta(seconds=0.05)) as deadline:
        ours.settimeout(30)
        theirs.settimeout(30)
        deadline.guard(ours)
        assert ours.recv(1) == b""
        assert deadline.expired
        other, end = socket.socketpair()
        with closing(other), closing(end):
            deadline.guard(other)
            assert end.recv(1) == b""


def test_connection_outlives_a_conversation_in_time() -> None:
    """Nothing is shut down or kept open afterwards."""
    ours, theirs = socket.socketpair()
    with closing(ours), closing(theirs):
        with Deadline(timedelta(hours=1)) as deadline:
            deadline.guard(ours)
        ours.sendall(b"x")
        assert theirs.recv(1) == b"x"
        ours.close()
        assert (theirs.recv(1), deadline.expired) == (b"", False)
