"""A mail server on loopback that answers as a test wants it to: late, wrongly, in pieces, never.

::

    with ScriptedSmtpServer({"RCPT": ["450 4.2.0 try later", "250 ok"], "DATA": [Drop()]}) as server:
        ...
"""

import contextlib
import io
import socket
import ssl
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from simulators.loopback import LoopbackServer


@dataclass(frozen=True, slots=True)
class Drop:
    """Send `after`, then close the connection."""

    after: bytes = b""


@dataclass(frozen=True, slots=True)
class Hang:
    """Say nothing more."""


@dataclass(frozen=True, slots=True)
class Dribble:
    """Begin a reply and never end it: one byte every `pause` seconds."""

    pause: float = 0.02


@dataclass(frozen=True, slots=True)
class Wire:
    """Send exactly these bytes."""

    data: bytes


Answer = str | Drop | Hang | Dribble | Wire

_POLITE: Mapping[str, Answer] = {
    "CONNECT": "220 mail.example ESMTP",
    "EHLO": "250-mail.example\r\n250 ENHANCEDSTATUSCODES",
    "STARTTLS": "220 2.0.0 go ahead",
    "AUTH": "235 2.7.0 accepted",
    "MAIL": "250 2.1.0 ok",
    "RCPT": "250 2.1.5 ok",
    "DATA": "354 end with a dot",
    "END": "250 2.0.0 queued as 1",
    "RSET": "250 2.0.0 ok",
    "QUIT": "221 2.0.0 bye",
}


class ScriptedSmtpServer(LoopbackServer):
    """Answers every verb as the script says, and politely where it says nothing.

    The n-th use of a verb, over all connections, gets the n-th answer; the last one stays. `CONNECT` is the greeting,
    `END` follows the final dot. Connections are served one after the other.
    """

    def __init__(
        self, script: Mapping[str, Sequence[Answer]] | None = None, *, tls: ssl.SSLContext | None = None
    ) -> None:
        super().__init__()
        self.lines: list[str] = []
        """Every command that came."""
        self.bodies: list[bytes] = []
        """The bytes after DATA, as on the wire, with the final dot if there was one."""
        self.script = script or {}
        self._tls = tls
        self._used: dict[str, int] = {}
        self._turn = threading.Lock()

    @property
    def verbs(self) -> list[str]:
        """The commands that came, without their arguments."""
        return [line.split(" ")[0].upper() for line in self.lines]

    def serve(self, sock: socket.socket) -> None:
        """Answer one client; it may go at any time, and a dropped connection ends here too."""
        with self._turn, contextlib.suppress(OSError):
            self._converse(sock)

    def _converse(self, sock: socket.socket) -> None:
        reading = sock.makefile("rb")
        try:
            self._answer(sock, "CONNECT")
            while line := reading.readline(4096):
                self.lines.append(line.decode(errors="replace").rstrip("\r\n"))
                verb = self.verbs[-1]
                answer = self._answer(sock, verb)
                if verb == "DATA" and answer.startswith("354"):
                    self._read_body(reading)
                    self._answer(sock, "END")
                elif verb == "STARTTLS" and self._tls:
                    reading.close()
                    sock = self._tls.wrap_socket(sock, server_side=True)
                    self.sockets.add(sock)
                    reading = sock.makefile("rb")
                elif verb == "QUIT":
                    return
        finally:
            reading.close()
            self.sockets.discard(sock)
            sock.close()

    def _read_body(self, reading: io.BufferedReader) -> None:
        body = b""
        while not body.endswith(b"\r\n.\r\n") and (line := reading.readline()):
            body += line
        self.bodies.append(body)

    def _answer(self, sock: socket.socket, verb: str) -> str:
        number = self._used.get(verb, 0)
        self._used[verb] = number + 1
        answers = self.script.get(verb) or [_POLITE.get(verb, "500 5.5.1 what?")]
        match answers[min(number, len(answers) - 1)]:
            case str() as line:
                sock.sendall(f"{line}\r\n".encode())
                return line
            case Wire(data):
                sock.sendall(data)
                return data.decode(errors="replace")
            case Drop(after):
                sock.sendall(after)
                raise ConnectionAbortedError
            case Hang():
                self._wait_for_the_end(sock)
            case Dribble(pause):
                while not self.stopping.wait(pause):
                    sock.sendall(b"2")
        raise ConnectionAbortedError

    def _wait_for_the_end(self, sock: socket.socket) -> None:
        while sock.recv(4096):
            pass
