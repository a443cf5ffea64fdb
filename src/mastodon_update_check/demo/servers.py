"""The neighbours of the demonstration, on loopback: an update server with the status page, and a mail server."""

import json
import queue
import threading
from email import message_from_bytes, policy
from email.message import EmailMessage
from functools import partial
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler
from pathlib import Path
from socketserver import StreamRequestHandler, ThreadingTCPServer
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

_LINE_BYTES = 4096
_REPLIES = {"DATA": "354 end with a dot", "QUIT": "221 2.0.0 bye"}


class LoopbackServer(ThreadingTCPServer):
    """Serves on a free port of 127.0.0.1 from `__enter__` to `__exit__`.

    It is not an `HTTPServer`, which looks up this host's name: that may take long without a network.
    """

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, handler: Any) -> None:  # noqa: ANN401 - a class, or what makes an instance of it
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
        super().__init__(partial(_WebHandler, directory=str(directory)))
        self.updates: list[dict[str, object]] = []
        self.was_asked = threading.Event()
        self.url = f"http://127.0.0.1:{self.port}"


class _WebHandler(SimpleHTTPRequestHandler):
    server: WebServer
    timeout = 10

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        if parts.path != "/update-check":
            super().do_GET()
            return
        installed = parse_qs(parts.query).get("version", [""])[0]
        newer = [update for update in self.server.updates if update["version"] != installed]
        self.server.was_asked.set()
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps({"updatesAvailable": newer}).encode())

    def log_message(self, *_: object) -> None:
        """Write nothing: the story has its own lines."""


class MailServer(LoopbackServer):
    """Speaks as much SMTP as this program's client needs, accepts every mail, and keeps it in `mails`."""

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
            self._reply(_REPLIES.get(verb, "250 2.0.0 ok"))
            if verb == "DATA":
                lines = []
                while (text := self.rfile.readline()) != b".\r\n":
                    if not text:
                        return
                    lines.append(text.removeprefix(b"."))  # doubled by the client
                self.server.mails.put(message_from_bytes(b"".join(lines), EmailMessage, policy=policy.default))
                self._reply("250 2.0.0 accepted")
            elif verb == "QUIT":
                return

    def _reply(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())
