"""A small HTTP(S) server on loopback: real sockets, one thread a connection, answers as a test wants them.

::

    with HttpServer(lambda request: Reply.json({"version": "4.7.1"})) as server:
        httpx.get(server.url("/api/v2/instance"))
    assert server.requests[0].path == "/api/v2/instance"

A handler takes a `Request` and returns a `Reply` (well-formed), `Raw` (these bytes, with these pauses: to dribble,
truncate, hang, never end) or `Tunnel` (a proxy's answer to CONNECT). Each connection carries one request.
"""

import contextlib
import http.client
import io
import json
import socket
import ssl
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from email.utils import formatdate
from http import HTTPStatus
from urllib.parse import parse_qsl, urlsplit

from simulators.loopback import LoopbackServer, forward


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request of a client."""

    method: str
    target: str
    """The request line's target as it came: `/path?query`, for a proxy a whole URL or `host:port`."""
    headers: Mapping[str, str]
    """By name in lower case."""
    body: bytes = b""

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    @property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(urlsplit(self.target).query, keep_blank_values=True))

    def json(self) -> object:
        return json.loads(self.body)


@dataclass(frozen=True, slots=True)
class Reply:
    """A well-formed answer; `Content-Length` and `Date` are added unless `headers` holds them."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def json(cls, document: object, status: int = 200) -> "Reply":
        return cls(status, json.dumps(document).encode(), {"Content-Type": "application/json"})

    @classmethod
    def redirect(cls, location: str, status: int = 302) -> "Reply":
        return cls(status, headers={"Location": location})

    def encode(self) -> bytes:
        """Return the bytes on the wire."""
        try:
            phrase = HTTPStatus(self.status).phrase
        except ValueError:
            phrase = "Unknown"
        always = {"Content-Length": str(len(self.body)), "Connection": "close", "Date": formatdate(usegmt=True)}
        headers = {**always, **self.headers}
        lines = [f"HTTP/1.1 {self.status} {phrase}", *(f"{name}: {value}" for name, value in headers.items())]
        return "\r\n".join([*lines, "", ""]).encode() + self.body


@dataclass(frozen=True, slots=True)
class Raw:
    """These parts, one after the other: bytes are sent as they are, a number is a pause in seconds."""

    parts: Iterable[bytes | float]


@dataclass(frozen=True, slots=True)
class Tunnel:
    """A proxy's assent to CONNECT: from here on bytes are carried between the client and this port on loopback."""

    port: int


Answer = Reply | Raw | Tunnel
Handler = Callable[[Request], Answer]


def script(*answers: Answer) -> Handler:
    """Return a handler that gives these answers in turn, the last one for ever."""
    remaining: Iterator[Answer] = iter(answers[:-1])
    return lambda _: next(remaining, answers[-1])


def dribble(data: bytes, pause: float = 0.05) -> Raw:
    """Send one byte at a time."""
    return Raw(part for byte in data for part in (bytes([byte]), pause))


def truncated(reply: Reply, missing: int) -> Raw:
    """Send all but the last `missing` bytes of the answer, then close."""
    return Raw([reply.encode()[:-missing]])


def endless(head: bytes, chunk: bytes) -> Raw:
    """Send `head`, then `chunk` again and again."""
    return Raw(part for source in ([head], iter(lambda: chunk, None)) for part in source)


def hang() -> Raw:
    """Take the request and never answer."""
    return Raw([3600.0])


def unused_port() -> int:
    """Return a port of loopback on which nothing listens: connections are refused."""
    with socket.create_server(("127.0.0.1", 0)) as sock:
        return int(sock.getsockname()[1])


class HttpServer(LoopbackServer):
    """Listens while its context lasts; leaving the context ends every connection and waits for the threads.

    Args:
        handler: called for each request, in the connection's thread. An exception in it fails the test.
        tls: speak TLS with this context.
    """

    def __init__(self, handler: Handler, *, tls: ssl.SSLContext | None = None) -> None:
        super().__init__()
        self.handler = handler
        self.requests: list[Request] = []
        self._tls = tls

    def url(self, path: str = "/", host: str = "127.0.0.1") -> str:
        """Return the URL of `path` here; `localhost` is another name for the same server."""
        return f"{'https' if self._tls else 'http'}://{host}:{self.port}{path}"

    def serve(self, sock: socket.socket) -> None:
        """Read one request and answer it."""
        with contextlib.ExitStack() as stack:
            # The client may go at any time: that is its right, and tests look at what it says itself.
            stack.enter_context(contextlib.suppress(ConnectionError, TimeoutError, ssl.SSLError, ValueError))
            connection = sock
            if self._tls:
                connection = stack.enter_context(self._tls.wrap_socket(sock, server_side=True))
            self.sockets.add(connection)
            stack.callback(self.sockets.discard, connection)
            with connection.makefile("rb") as stream:
                request = _read_request(stream)
            if request is not None:
                self.requests.append(request)
                self._answer(connection, self.handler(request))

    def _answer(self, connection: socket.socket, answer: Answer) -> None:
        if isinstance(answer, Tunnel):
            connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            self._carry(connection, answer.port)
            return
        for part in [answer.encode()] if isinstance(answer, Reply) else answer.parts:
            if isinstance(part, bytes):
                connection.sendall(part)
            elif self.stopping.wait(part):
                return

    def _carry(self, connection: socket.socket, port: int) -> None:
        with socket.create_connection(("127.0.0.1", port)) as upstream:
            self.sockets.add(upstream)
            forward(connection, upstream)
            self.sockets.discard(upstream)


def _read_request(stream: io.BufferedIOBase) -> Request | None:
    line = stream.readline(65_537).decode("latin-1").split()
    if len(line) != 3:
        return None
    headers = {name.lower(): value for name, value in http.client.parse_headers(stream).items()}
    body = stream.read(int(headers.get("content-length", "0")))
    return Request(method=line[0], target=line[1], headers=headers, body=body)
