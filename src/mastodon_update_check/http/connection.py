"""HTTP/1.1 over one socket: connect, write a request, read the answer within bounds.

The library's `http.client` has no bound on a chunk, takes the end of a connection within the head for the end of the
head, and an interim answer for the final one.
"""

import re
import socket
import ssl
from collections.abc import Mapping
from functools import cache
from io import BufferedReader

from mastodon_update_check.http.time_limit import SocketGuard

LINE_BYTES = 1 << 16
HEAD_BYTES = 1 << 16
_STATUS_LINE = re.compile(rb"HTTP/1\.[0-9] ([0-9]{3})(?: (.*))?")
_CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;.*)?")
_LENGTH = re.compile(r"[0-9]{1,18}")
_WITHOUT_BODY = frozenset({204, 304})


class AnswerError(Exception):
    """What came is not HTTP, or it ended early."""


def connect(host: str, port: int, seconds: float, guard: SocketGuard) -> socket.socket:
    """Return a connection to the first address that takes it; `seconds` is the limit for each one."""
    sock = socket.create_connection((host, port), seconds)
    guard.guard(sock)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock


def encrypt(sock: socket.socket, host: str) -> socket.socket:
    """Return the connection with TLS, once the certificate has been verified."""
    return trusted_authorities().wrap_socket(sock, server_hostname=host)


@cache
def trusted_authorities() -> ssl.SSLContext:
    """Return the context with the system's authorities, which are read once in a process."""
    return ssl.create_default_context()


def write_request(sock: socket.socket, line: str, headers: Mapping[str, str], body: bytes = b"") -> None:
    """Send a request.

    Raises:
        ValueError: a header would end its line.
    """
    lines = [f"{line} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    if any(not each.isprintable() for each in lines):
        raise ValueError("a header with control characters")
    sock.sendall("".join(f"{each}\r\n" for each in (*lines, "")).encode() + body)


class Answer:
    """The answer on a connection: its head is read at once, its body on request.

    Raises:
        AnswerError: it is not HTTP/1.1, or the connection ended early.
        OSError: the connection failed.
    """

    def __init__(self, file: BufferedReader) -> None:
        self._file = file
        self._read_head()
        while self.status // 100 == 1:  # an interim answer
            self._read_head()
        length = self.headers.get("content-length", "0")
        if _LENGTH.fullmatch(length) is None or self.headers.get("transfer-encoding", "chunked").lower() != "chunked":
            raise AnswerError("the length of the answer is not clear")

    @property
    def is_success(self) -> bool:
        """Whether the status is 2xx."""
        return self.status // 100 == 2  # noqa: PLR2004

    def read_body(self, limit: int) -> bytes:
        """Return the body; of a longer one, the first `limit` bytes."""
        if self.status in _WITHOUT_BODY:
            return b""
        if "transfer-encoding" in self.headers:
            return self._read_chunks(limit)
        if "content-length" not in self.headers:
            return self._file.read(limit)
        return self._read_exactly(min(int(self.headers["content-length"]), limit))

    def _read_head(self) -> None:
        found = _STATUS_LINE.fullmatch(self._read_line())
        if found is None:
            raise AnswerError("no HTTP")
        self.status, self.reason = int(found[1]), (found[2] or b"").decode(errors="replace")
        self.headers: dict[str, str] = {}
        """By name in lower case; several of one name are joined."""
        left = HEAD_BYTES
        while line := self._read_line():
            left -= len(line)
            name, colon, value = line.decode(errors="replace").partition(":")
            if left < 0 or not colon:
                raise AnswerError("no head")
            name, value = name.strip().lower(), value.strip()
            self.headers[name] = f"{self.headers[name]}, {value}" if name in self.headers else value

    def _read_chunks(self, limit: int) -> bytes:
        body = b""
        while len(body) < limit:
            found = _CHUNK_SIZE.fullmatch(self._read_line())
            if found is None:
                raise AnswerError("no size of a chunk")
            size = int(found[1], 16)
            if size == 0:
                break
            body += self._read_exactly(min(size, limit - len(body)))
            if len(body) < limit and self._read_line():
                raise AnswerError("no end of a chunk")
        return body

    def _read_exactly(self, size: int) -> bytes:
        read = self._file.read(size)
        if len(read) < size:
            raise AnswerError("ended early")
        return read

    def _read_line(self) -> bytes:
        line = self._file.readline(LINE_BYTES)
        if not line.endswith(b"\n"):
            raise AnswerError("no whole line")
        return line.rstrip(b"\r\n")
