"""An update server and a web server for the status page, on loopback."""

import json
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from mastodon_update_check.demo.loopback_server import LoopbackServer

_PAGES = {"/": "index.html", **{f"/{name}": name for name in ("index.html", "index-reload.html", "index.json")}}
_TYPES = {".html": "text/html; charset=utf-8", ".json": "application/json"}


class WebServer(LoopbackServer):
    """Answers `/update-check` with the newer ones of `updates`, and serves the status page from `directory`."""

    def __init__(self, directory: Path) -> None:
        super().__init__(_Handler)
        self.directory = directory
        self.updates: list[dict[str, object]] = []
        self.was_asked = threading.Event()
        """Set by the first question for updates."""
        self.url = f"http://127.0.0.1:{self.port}"


class _Handler(BaseHTTPRequestHandler):
    """One request."""

    server: WebServer
    timeout = 10

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        if path == "/update-check":
            installed = parse_qs(urlsplit(self.path).query).get("version", [""])[0]
            newer = [update for update in self.server.updates if update["version"] != installed]
            self.server.was_asked.set()
            self._answer(json.dumps({"updatesAvailable": newer}).encode(), _TYPES[".json"])
            return
        file = self.server.directory / _PAGES.get(path, "none")
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
