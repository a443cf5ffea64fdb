"""A mail server on loopback that accepts every mail and keeps it."""

import queue
from email import message_from_bytes, policy
from email.message import EmailMessage
from socketserver import StreamRequestHandler

from mastodon_update_check.demo.loopback_server import LoopbackServer

_LINE_BYTES = 4096
_REPLIES = {
    "EHLO": "250 mail.demo",
    "HELO": "250 mail.demo",
    "MAIL": "250 2.1.0 ok",
    "RCPT": "250 2.1.5 ok",
    "RSET": "250 2.0.0 ok",
    "NOOP": "250 2.0.0 ok",
    "DATA": "354 end with a dot",
    "QUIT": "221 2.0.0 bye",
}


class MailServer(LoopbackServer):
    """Speaks as much SMTP as a client needs; `mails` has what was accepted, in order."""

    def __init__(self) -> None:
        super().__init__(_MailHandler)
        self.mails: queue.SimpleQueue[EmailMessage] = queue.SimpleQueue()


class _MailHandler(StreamRequestHandler):
    """One connection."""

    server: MailServer
    timeout = 30

    def handle(self) -> None:
        self._reply("220 mail.demo ESMTP")
        while line := self.rfile.readline(_LINE_BYTES).decode(errors="replace"):
            verb = line.split(" ")[0].strip().upper()
            self._reply(_REPLIES.get(verb, "500 5.5.1 not known here"))
            if verb == "DATA":
                self.server.mails.put(message_from_bytes(self._read_mail(), EmailMessage, policy=policy.default))
                self._reply("250 2.0.0 accepted")
            elif verb == "QUIT":
                return

    def _reply(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())

    def _read_mail(self) -> bytes:
        """Return the mail up to its final dot, with doubled dots restored."""
        lines: list[bytes] = []
        while (line := self.rfile.readline()) != b".\r\n":
            if not line:
                raise ConnectionError
            lines.append(line[1:] if line.startswith(b"..") else line)
        return b"".join(lines)
