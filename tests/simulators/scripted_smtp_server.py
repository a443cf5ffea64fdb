"""Mail servers on loopback that answer as a test wants it to: late, wrongly, in pieces, never.

::

    with ScriptedSmtpServer({"RCPT": ["450 4.2.0 try later", "250 ok"], "DATA": [Drop()]}) as server:
        ...
"""

import contextlib
import io
import socket
import ssl
import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
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
Judge = Callable[[str, str, bytes], Answer]
"""From the verb, the recipient so far and the mail to the answer.

`CONNECT` asks for the greeting, `END` follows the final dot. The mail is as on the wire, with that dot."""

POLITE: Mapping[str, Answer] = {
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


class JudgedSmtpServer(LoopbackServer):
    """Asks a test about every step, for any number of connections at once."""

    def __init__(self, judge: Judge, *, tls: ssl.SSLContext | None = None) -> None:
        super().__init__()
        self.lines: list[str] = []
        """Every command that came."""
        self.bodies: list[bytes] = []
        """The bytes after DATA, as on the wire, with the final dot if there was one."""
        self._judge = judge
        self._tls = tls

    @property
    def verbs(self) -> list[str]:
        """The commands that came, without their arguments."""
        return [_verb(line) for line in self.lines]

    def serve(self, sock: socket.socket) -> None:
        """Answer one client; it may go at any time, and a dropped connection ends here too."""
        with contextlib.suppress(OSError):
            self._converse(sock)

    def _converse(self, sock: socket.socket) -> None:
        reading = sock.makefile("rb")
        address = ""
        try:
            self._answer(sock, "CONNECT")
            while raw := reading.readline(4096):
                line = raw.decode(errors="replace").rstrip("\r\n")
                self.lines.append(line)
                verb = _verb(line)
                if verb == "RCPT":
                    address = line.partition("<")[2].partition(">")[0]
                answer = self._answer(sock, verb, address)
                if verb == "DATA" and answer.startswith("354"):
                    self.bodies.append(body := _read_body(reading))
                    if not body.endswith(_END):
                        return
                    self._answer(sock, "END", address, body)
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

    def _answer(self, sock: socket.socket, verb: str, address: str = "", body: bytes = b"") -> str:
        match self._judge(verb, address, body):
            case str() as line:
                sock.sendall(f"{line}\r\n".encode())
                return line
            case Wire(data):
                sock.sendall(data)
                return data.decode(errors="replace")
            case Drop(after):
                sock.sendall(after)
            case Hang():
                while sock.recv(4096):
                    pass
            case Dribble(pause):
                while not self.stopping.wait(pause):
                    sock.sendall(b"2")
        raise ConnectionAbortedError


class ScriptedSmtpServer(JudgedSmtpServer):
    """Answers every verb as the script says, and politely where it says nothing.

    The n-th use of a verb, over all connections, gets the n-th answer; the last one stays. Connections are served one
    after the other.
    """

    def __init__(
        self, script: Mapping[str, Sequence[Answer]] | None = None, *, tls: ssl.SSLContext | None = None
    ) -> None:
        super().__init__(self._next_answer, tls=tls)
        self.script = script or {}
        self._used: Counter[str] = Counter()
        self._turn = threading.Lock()

    def serve(self, sock: socket.socket) -> None:
        """Answer one client after the other."""
        with self._turn:
            super().serve(sock)

    def _next_answer(self, verb: str, *_: object) -> Answer:
        self._used[verb] += 1
        answers = self.script.get(verb) or [POLITE.get(verb, "500 5.5.1 what?")]
        return answers[min(self._used[verb], len(answers)) - 1]


_END = b"\r\n.\r\n"


def _verb(line: str) -> str:
    return line.split(" ", maxsplit=1)[0].upper()


def _read_body(reading: io.BufferedReader) -> bytes:
    body = b""
    while not body.endswith(_END) and (line := reading.readline()):
        body += line
    return body
