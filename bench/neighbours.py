"""The neighbours of a measured process, on loopback: an update server, a mail server, systemd's notify socket."""

import contextlib
import json
import socket
import socketserver
import subprocess
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Self

LISTED = {
    "version": "4.7.1",
    "urgent": True,
    "type": "patch",
    "releaseNotes": "https://github.com/mastodon/mastodon/releases/tag/v4.7.1",
}


class UpdateServer(ThreadingHTTPServer):
    """Lists one release and takes webhooks; `asked` counts the questions."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _UpdateHandler)
        self.asked = 0
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        """Value of `UPDATE_CHECK_URL`."""
        return f"http://127.0.0.1:{self.server_port}/update-check"

    def wait_for(self, number: int) -> None:
        """Wait until `number` more questions have been asked."""
        goal = self.asked + number
        while self.asked < goal:
            time.sleep(0.02)


class _UpdateHandler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: UpdateServer

    def do_GET(self) -> None:  # the base's name
        body = json.dumps({"updatesAvailable": [LISTED]}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.server.asked += 1

    def do_POST(self) -> None:  # the base's name
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Log nothing."""


class MailServer(socketserver.ThreadingTCPServer):
    """Accepts and discards every mail."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _MailHandler)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def port(self) -> int:
        """Value of `SMTP_PORT`."""
        return int(self.server_address[1])


class _MailHandler(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        self.wfile.write(b"220 mail.example ESMTP\r\n")
        while line := self.rfile.readline():
            command = line.split()[0].upper() if line.split() else b""
            if command == b"DATA":
                self.wfile.write(b"354 go on\r\n")
                while self.rfile.readline() not in {b".\r\n", b""}:
                    pass
            self.wfile.write(b"221 bye\r\n" if command == b"QUIT" else b"250 ok\r\n")


class NotifySocket:
    """The socket on which systemd waits for `READY=1`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(path))
        self._socket.settimeout(1)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()
        self.path.unlink()

    def wait(self, process: subprocess.Popen[bytes]) -> None:
        """Wait for `READY=1`, while the process runs."""
        received: list[bytes] = []
        while b"READY=1" not in received:
            with contextlib.suppress(TimeoutError):
                received = self._socket.recv(4096).split(b"\n")
            if process.poll() is not None:
                raise RuntimeError(f"the process ended with exit status {process.returncode} before it was ready")
