"""The neighbours of the demonstration, on loopback: an update server with the status page, and a mail server."""

import json
import queue
import threading
from email import message_from_bytes, policy
from email.message import EmailMessage
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import BaseRequestHandler, StreamRequestHandler, ThreadingTCPServer
from typing import Self
from urllib.parse import parse_qs, urlsplit

_PAGES = {"/": "index.html", **{f"/{name}": name for name in ("index.html", "index-reload.html", "index.json")}}
_TYPES = {".html": "text/html; charset=utf-8", ".json": "application/json"}
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


class LoopbackServer(ThreadingTCPServer):
    """Serves on a free port of 127.0.0.1 from `__enter__` to `__exit__`.

    It is not an `HTTPServer`, which looks up this host's name: that may take long without a network.
    """

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, handler: type[BaseRequestHandler]) -> None:
        super().__init__(("127.0.0.1", 0), handler)
        self.port = int(self.server_address[1])

    def __enter__(self) -> Self:
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()

    def handle_error(self, *_: object) -> None:
        """Ignore clients that hang up."""


class WebServer(LoopbackServer):
    """Answers `/update-check` with the newer ones of `updates`, and serves the status page from `directory`."""

    def __init__(self, directory: Path) -> None:
        super().__init__(_WebHandler)
        self.directory = directory
        self.updates: list[dict[str, object]] = []
        self.was_asked = threading.Event()
        """Set by the first question for updates."""
        self.url = f"http://127.0.0.1:{self.port}"


class _WebHandler(BaseHTTPRequestHandler):
    """One request."""

    server: WebServer
    timeout = 10

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        if parts.path == "/update-check":
            installed = parse_qs(parts.query).get("version", [""])[0]
            newer = [update for update in self.server.updates if update["version"] != installed]
            self.server.was_asked.set()
            self._answer(json.dumps({"updatesAvailable": newer}).encode(), _TYPES[".json"])
            return
        file = self.server.directory / _PAGES.get(parts.path, "none")
        try:
            self._answer(file.read_bytes(), _TYPES[file.suffix])
        except OSError:
            self.send_error(HTTPStatus.NOT_FOUND)

    def _answer(self, body: bytes, content_type: str) -> None:
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Write nothing: the story has its own lines."""


class MailServer(LoopbackServer):
    """Speaks as much SMTP as a client needs, accepts every mail, and keeps it in `mails`."""

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
            self._reply(_REPLIES.get(verb, "500 5.5.1 unknown command"))
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
