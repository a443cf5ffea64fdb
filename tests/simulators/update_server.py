"""The update server as Mastodon's project runs it, with a crew that publishes, withdraws and corrects.

::

    with UpdateServer() as server:
        server.publish("4.7.1", urgent=True)
        ask_update_server(server.url, MastodonVersion.parse("4.7.0"), Proxies())
    assert ["4.7.0"] == server.asked

It lists what is newer than the version that it is asked about, in the order of publication, and answers 500 when it
is asked about none (docs/MASTODON.md, Update check).
"""

import ssl
from typing import Any, Self

from mastodon_update_check.domain.versions import MastodonVersion
from simulators.http_server import Answer, HttpServer, Reply, Request

PATH = "/update-check"


class UpdateServer:
    """Answers while its context lasts; its list of releases may change at any time."""

    def __init__(self, *, tls: ssl.SSLContext | None = None) -> None:
        self.http = HttpServer(self._answer, tls=tls)
        self.asked: list[str] = []
        """The versions that it was asked about, refused questions included."""
        self._releases: dict[str, dict[str, Any]] = {}
        self._current: dict[str, Any] | None = None
        self._outage: Answer | None = None

    def __enter__(self) -> Self:
        self.http.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self.http.__exit__()

    @property
    def url(self) -> str:
        """For `UPDATE_CHECK_URL`."""
        return self.http.url(PATH)

    def publish(
        self,
        version: str,
        *,
        urgent: bool = False,
        type: str = "patch",  # noqa: A002  # the feed's own word
        end_of_support: str | None = None,
        release_notes: str | None = None,
    ) -> None:
        """List a release from now on; the notes are where Mastodon's project puts them."""
        notes = release_notes or f"https://github.com/mastodon/mastodon/releases/tag/v{version}"
        entry: dict[str, Any] = {"version": version, "type": type, "releaseNotes": notes, "urgent": urgent}
        if end_of_support:
            entry["endOfSupport"] = end_of_support
        self._releases[version] = entry

    def withdraw(self, version: str) -> None:
        """List a release no more."""
        del self._releases[version]

    def make_urgent(self, version: str, *, urgent: bool = True) -> None:
        """Think better of a release that is already listed."""
        self._releases[version]["urgent"] = urgent

    def set_current_end(self, end_of_support: str | None) -> None:
        """Change when support of the asker's own branch ends; None leaves `currentVersion` out."""
        self._current = {"endOfSupport": end_of_support} if end_of_support else None

    def fail(self, answer: Answer | int) -> None:
        """Give this answer, or this status, to every question until `recover`."""
        self._outage = Reply(answer, b"out of order") if isinstance(answer, int) else answer

    def recover(self) -> None:
        """Answer as ever."""
        self._outage = None

    def _answer(self, request: Request) -> Answer:
        version = request.query.get("version")
        self.asked += [version] if version is not None else []
        if self._outage is not None:
            return self._outage
        if request.path != PATH:
            return Reply(404)
        if not version:
            return Reply(500, b"We're sorry, but something went wrong.")
        installed = MastodonVersion.parse(version)
        updates = [entry for name, entry in self._releases.items() if MastodonVersion.parse(name) > installed]
        current = {"currentVersion": self._current} if self._current else {}
        return Reply.json({"updatesAvailable": updates, **current})
