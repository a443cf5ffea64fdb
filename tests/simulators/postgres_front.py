"""Servers in front of PostgreSQL, or in place of it: TLS, silence, or something that only looks like a server.

The messages are those of PostgreSQL's protocol, version 3.0 (documentation, chapter 54).
"""

import contextlib
import socket
import ssl
import struct
import threading
from collections.abc import Callable

from simulators.loopback import LoopbackServer, forward

Conversation = Callable[[socket.socket, threading.Event], None]
"""Speaks with one client until it is done, or the event says so."""

_TLS_REQUEST = struct.pack("!II", 8, 80877103)
_READY = b"Z" + struct.pack("!I", 5) + b"I"  # ReadyForQuery, idle


class Front(LoopbackServer):
    """Holds the same conversation with each client."""

    def __init__(self, converse: Conversation) -> None:
        super().__init__()
        self._converse = converse

    def serve(self, sock: socket.socket) -> None:
        """Hold the conversation; the client may go at any time."""
        with contextlib.suppress(OSError):
            self._converse(sock, self.stopping)


def silence(_: socket.socket, stopping: threading.Event) -> None:
    """Take the connection and say nothing."""
    stopping.wait()


def silence_after_login(sock: socket.socket, stopping: threading.Event) -> None:
    """Accept every login and never answer a query, as a pooler whose servers are all busy."""
    _let_in(sock)
    stopping.wait()


def dribble_after_login(sock: socket.socket, stopping: threading.Event) -> None:
    """Accept every login, and answer with an endless notice, byte by byte."""
    _let_in(sock)
    sock.sendall(b"N" + struct.pack("!I", 1_000_000) + b"M")
    while not stopping.wait(0.05):
        sock.sendall(b"x")


def dribble_at_login(sock: socket.socket, stopping: threading.Event) -> None:
    """Answer the login with an error without end, byte by byte."""
    sock.recv(4096)
    sock.sendall(b"E" + struct.pack("!I", 10_000) + b"M")
    while not stopping.wait(0.05):
        sock.sendall(b"x")


def another_protocol(sock: socket.socket, _: threading.Event) -> None:
    """Greet as a mail server does, and go."""
    sock.sendall(b"220 mail.example ESMTP\r\n")
    sock.recv(4096)


class Flood:
    """Lets every client in, and answers its first query with rows that only look like PostgreSQL's; counts bytes."""

    def __init__(self, message: Callable[[], bytes], *, columns: int = 1, kind: int = 25) -> None:
        self._message = message
        names = b"".join(b"x\0" + struct.pack("!IhIhih", 0, 0, kind, -1, -1, 0) for _ in range(columns))
        self._columns = _message(b"T", struct.pack("!H", columns) + names)
        self.sent_bytes = 0

    def __call__(self, sock: socket.socket, stopping: threading.Event) -> None:
        """Answer the statements that begin the transaction, then send without end."""
        _let_in(sock)
        sock.recv(65_536)
        sock.sendall(_message(b"C", b"BEGIN\0") + _READY)
        sock.recv(65_536)
        sock.sendall(_message(b"1", b"") + _message(b"2", b"") + self._columns)
        while not stopping.is_set():
            self.sent_bytes += sock.send(self._message())


def row(*values: bytes) -> bytes:
    """Return one row."""
    return _message(b"D", struct.pack("!H", len(values)) + b"".join(struct.pack("!I", len(v)) + v for v in values))


def end_after_login(sock: socket.socket, _: threading.Event) -> None:
    """Accept every login and close the connection, as a server that crashes."""
    _let_in(sock)


def tls(context: ssl.SSLContext, upstream: int) -> Conversation:
    """Return a conversation over TLS that forwards to the server on port `upstream` of loopback."""

    def converse(sock: socket.socket, _: threading.Event) -> None:
        if sock.recv(8) != _TLS_REQUEST:
            sock.sendall(_refusal("28000", "no pg_hba.conf entry for this connection, no encryption"))
            return
        sock.sendall(b"S")
        with (
            context.wrap_socket(sock, server_side=True) as secure,
            socket.create_connection(("127.0.0.1", upstream)) as to,
        ):
            forward(secure, to)

    return converse


def repeat_password(code: str) -> Conversation:
    """Ask for the password in clear text, let every login in, and repeat it in the error of the first query."""

    def converse(sock: socket.socket, _: threading.Event) -> None:
        sock.recv(4096)
        sock.sendall(b"R" + struct.pack("!II", 8, 3))
        password = sock.recv(4096)[5:-1].decode()
        sock.sendall(b"R" + struct.pack("!II", 8, 0) + _READY)
        sock.recv(65_536)
        parts = (b"SERROR", b"C" + code.encode(), b"Mthe password is " + password.encode())
        sock.sendall(_message(b"E", b"".join(part + b"\0" for part in parts) + b"\0") + _READY)
        sock.recv(4096)

    return converse


def _message(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("!I", len(body) + 4) + body


def _refusal(code: str, words: str) -> bytes:
    fields = "".join(f"{kind}{text}\0" for kind, text in (("S", "FATAL"), ("C", code), ("M", words)))
    return b"E" + struct.pack("!I", len(fields) + 5) + fields.encode() + b"\0"


def _let_in(sock: socket.socket) -> None:
    sock.recv(4096)
    sock.sendall(b"R" + struct.pack("!II", 8, 0))  # AuthenticationOk
    sock.sendall(_READY)
