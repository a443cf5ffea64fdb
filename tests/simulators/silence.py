"""Names whose addresses do not answer: a listener with a full queue."""

import socket
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

import pytest

Addresses = list[tuple[socket.AddressFamily, socket.SocketKind, int, str, tuple[str, int]]]


@contextmanager
def silent_port() -> Iterator[int]:
    """Return a port that takes no connection on any address of this machine, and refuses none."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("0.0.0.0", 0), backlog=0))
        port = int(listener.getsockname()[1])
        for _ in range(3):  # more than the queue holds
            waiting = stack.enter_context(socket.socket())
            waiting.settimeout(0)
            waiting.connect_ex(("127.0.0.1", port))
        yield port


def resolve_to(monkeypatch: pytest.MonkeyPatch, ports: Sequence[int]) -> None:
    """Make every name resolve to one address of this machine for each of these ports."""
    found: Addresses = [
        (socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (f"127.0.0.{number}", port))
        for number, port in enumerate(ports, 1)
    ]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_keywords: found)
