"""The update server: what it lists is in feed.json, and may change at any time; what it is asked goes into asked."""

import json
import re
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

HERE = Path("/srv/update-server")


def numbers(version: str) -> list[int]:
    """Return the numbers that a version begins with."""
    return [int(number) for number in re.findall(r"\d+", version)[:3]]


class Handler(BaseHTTPRequestHandler):
    """Lists what is newer than the version that it is asked about."""

    def do_GET(self) -> None:
        """Answer one question."""
        installed = parse_qs(urlsplit(self.path).query).get("version", [""])[0]
        with (HERE / "asked").open("a") as asked:
            asked.write(f"{installed}\n")
        feed = json.loads((HERE / "feed.json").read_text())
        feed["updatesAvailable"] = [
            entry for entry in feed["updatesAvailable"] if numbers(entry["version"]) > numbers(installed)
        ]
        body = json.dumps(feed).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Keep the journal to those whom the scenarios are about."""


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", 8099), Handler).serve_forever()
