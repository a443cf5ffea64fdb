"""Mastodon as far as it is asked: says the version that its tree held when it was started."""

import json
import re
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

RUBY = Path("lib/mastodon/version.rb").read_text()
VERSION = ".".join(re.findall(rf"def {part}\s+(\d+)", RUBY)[0] for part in ("major", "minor", "patch"))


class Handler(BaseHTTPRequestHandler):
    """The two addresses at which Mastodon says its version."""

    def do_GET(self) -> None:
        """Answer one question."""
        known = self.path in ("/api/v1/instance", "/api/v2/instance") and self.headers["Host"] == "social.example"
        body = json.dumps({"domain": "social.example", "version": VERSION}).encode() if known else b""
        self.send_response(200 if known else 404)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Keep the journal to those whom the scenarios are about."""


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", 3000), Handler).serve_forever()
