"""The update server of one machine: what it lists, and what it was asked."""

import json

from acceptance.machine import Machine, wait_until

FEED = "/srv/update-server/feed.json"
ASKED = "srv/update-server/asked"
NOTES = "https://github.com/mastodon/mastodon/releases/tag/v"


class UpdateServer:
    """Reached as https://api.joinmastodon.org/update-check and as http://127.0.0.1:8099/update-check."""

    local_url = "http://127.0.0.1:8099/update-check"

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._listed: dict[str, dict[str, object]] = {}
        self.publish()

    def publish(self, version: str = "", *, urgent: bool = False) -> None:
        """List a release from now on; without one, list what is listed."""
        if version:
            kind = "patch" if not version.endswith(".0") else "minor"
            self._listed[version] = {
                "version": version,
                "urgent": urgent,
                "type": kind,
                "releaseNotes": NOTES + version,
            }
        # Whole or not at all: it is read at any time.
        self._machine.write(f"{FEED}.new", json.dumps({"updatesAvailable": list(self._listed.values())}))
        (self._machine.root / f"{FEED}.new".lstrip("/")).rename(self._machine.root / FEED.lstrip("/"))

    @property
    def asked(self) -> list[str]:
        """The versions that it was asked about, the first question first."""
        file = self._machine.root / ASKED
        return file.read_text().splitlines() if file.exists() else []

    def wait_for_question(self, version: str = "", seconds: float = 60.0) -> None:
        """Wait until it is asked again, about this version."""
        before = len(self.asked)
        wait_until(
            lambda: [each for each in self.asked[before:] if version in ("", each)],
            f"a question about {version or 'any version'}; of late it was asked about {self.asked[-3:]}",
            seconds,
        )
