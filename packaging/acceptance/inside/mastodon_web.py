"""The web process of a Mastodon: answers with the version that its tree had at its start."""

import json
import os
import re
import signal
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

RUBY = Path("lib/mastodon/version.rb").read_text()
(DOMAIN,) = re.findall(r"^LOCAL_DOMAIN=(.*)$", Path(".env.production").read_text(), re.MULTILINE)
VERSION = ".".join(re.findall(rf"def {part}\s+(\d+)", RUBY)[0] for part in ("major", "minor", "patch"))


class Handler(BaseHTTPRequestHandler):
    """The two addresses at which Mastodon says its version."""

    def do_GET(self) -> None:
        """Answer one question."""
        known = self.path in ("/api/v1/instance", "/api/v2/instance") and self.headers["Host"] == DOMAIN
        body = json.dumps({"domain": DOMAIN, "version": VERSION}).encode() if known else b""
        self.send_response(200 if known else 404)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Keep the journal to those whom the scenarios are about."""


def begin_again(*_: object) -> None:
    """Serve the version that the tree holds now."""
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])  # one that comes now waits, and does not kill
    os.execv(sys.executable, [sys.executable, *sys.argv])  # noqa: S606 - it needs no shell


if __name__ == "__main__":
    signal.signal(signal.SIGUSR1, begin_again)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGUSR1])
    ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
