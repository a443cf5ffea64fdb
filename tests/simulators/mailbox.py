"""A mail server that asks a test about every step: what to answer, or whether to hang up without a word.

::

    with MailServer(lambda verb, address, data: None if verb == "END" else OK) as server:
        ...  # takes the mail, and cuts the connection before its reply

It serves any number of connections at once. For STARTTLS, AUTH and the rest there are the servers of `smtp_server`.
"""

import contextlib
import socket
import socketserver
import sys
import threading
from collections.abc import Callable
from typing import Self

OK = ""
"""Answer as a polite server does."""
Judge = Callable[[str, str, bytes], str | None]
"""From the verb, the recipient so far and the mail to a reply line, or None: the connection is cut.

`CONNECT` asks for the greeting, `END` follows the final dot."""
_POLITE = {
    "CONNECT": "220 mail.example ESMTP",
    "EHLO": "250 mail.example",
    "MAIL": "250 2.1.0 ok",
    "RCPT": "250 2.1.5 ok",
    "DATA": "354 end with a dot",
    "END": "250 2.0.0 taken",
    "RSET": "250 2.0.0 ok",
    "QUIT": "221 2.0.0 bye",
}


class MailServer(socketserver.ThreadingTCPServer):
    """Listens on loopback while its context lasts; leaving it ends every connection."""

    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, judge: Judge) -> None:
        super().__init__(("127.0.0.1", 0), _Conversation)
        self.judge = judge
        self.port = int(self.server_address[1])
        self.open: set[socket.socket] = set()
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self._thread.join()
        for sock in tuple(self.open):
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        self.server_close()

    def process_request(self, request: socket.socket | tuple[bytes, socket.socket], client_address: object) -> None:
        """Count a connection from the moment that it is taken, before its thread runs."""
        assert isinstance(request, socket.socket)
        self.open.add(request)
        super().process_request(request, client_address)

    def handle_error(self, *_: object) -> None:
        """A client may disconnect at any time. Any other error here fails the test."""
        error = sys.exception()
        if error is not None and not isinstance(error, OSError):
            raise error


class _Conversation(socketserver.StreamRequestHandler):
    """One connection."""

    server: MailServer

    def handle(self) -> None:
        try:
            self._converse()
        finally:
            self.server.open.discard(self.request)

    def _converse(self) -> None:
        address = ""
        goes_on = self._answer("CONNECT", address)
        while goes_on and (line := self.rfile.readline(4096).decode(errors="replace").strip()):
            verb = line.split(" ")[0].upper()
            if verb == "RCPT":
                address = line.partition("<")[2].partition(">")[0]
            goes_on = self._answer(verb, address) and verb != "QUIT"
            if goes_on and verb == "DATA":
                data = self._read_mail()
                goes_on = data is not None and self._answer("END", address, data)

    def _answer(self, verb: str, address: str, data: bytes = b"") -> bool:
        reply = self.server.judge(verb, address, data)
        if reply is None:
            return False
        self.wfile.write(f"{reply or _POLITE.get(verb, '500 5.5.1 what?')}\r\n".encode())
        return True

    def _read_mail(self) -> bytes | None:
        """Return the mail, unescaped; None when its end did not arrive."""
        lines: list[bytes] = []
        while line := self.rfile.readline():
            if line == b".\r\n":
                return b"".join(lines)
            lines.append(line[1:] if line.startswith(b"..") else line)
        return None
