"""One ping to a monitoring service; of its URL only the host and port are ever shown."""

from dataclasses import replace
from datetime import timedelta

from mastodon_update_check.domain.heartbeats import Ping
from mastodon_update_check.errors import Cause, CheckError
from mastodon_update_check.http.client import send
from mastodon_update_check.http.proxies import Proxies
from mastodon_update_check.http.request import EXCERPT, Limits, Request

LIMITS = replace(EXCERPT, total=timedelta(seconds=10))
"""A check waits for the ping."""
_UNKNOWN = b"not found"
"""Healthchecks answers 200 and `OK (not found)` when no check has this URL."""
_TEXT = {"Content-Type": "text/plain; charset=utf-8"}


def send_ping(ping: Ping, proxies: Proxies, limits: Limits = LIMITS) -> None:
    """Send `ping`.

    Raises:
        CheckError: it was not accepted.
    """
    body = ping.text.encode() if ping.method == "POST" else None
    response = send(Request(method=ping.method, url=ping.url, headers=_TEXT, body=body), proxies, limits)
    if response.status // 100 != 2:  # noqa: PLR2004
        raise CheckError(Cause.HTTP_STATUS, f"{response.peer} answers with status {response.status}")
    if _UNKNOWN in response.body:
        raise CheckError(Cause.HTTP_STATUS, f"{response.peer} does not know this URL")
