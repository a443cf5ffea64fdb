"""The heartbeat: pings for a monitoring service that raises the alarm when they stop.

Healthchecks' form: the URL itself for success, `/start` and `/fail` behind its path. Uptime Kuma's push monitors know
only up and down, and take them in the query of `/api/push/…`. A ping that is not accepted delays a check by 10 s at
most, and is reported in the log and by `status`.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from enum import StrEnum
from urllib.parse import parse_qsl, urlencode, urlsplit

from mastodon_update_check.domain.server.status import describe_undelivered
from mastodon_update_check.domain.text import clean
from mastodon_update_check.errors import Cause, CheckError
from mastodon_update_check.http.proxies import Proxies
from mastodon_update_check.http.request import EXCERPT, Limits, Request
from mastodon_update_check.logs import log

LIMITS = replace(EXCERPT, total=timedelta(seconds=10))
_UNKNOWN = b"not found"
"""Healthchecks answers 200 and `OK (not found)` when no check has this URL."""
_KUMA_PATH = "/api/push/"
_KUMA_WORDS = frozenset({"status", "msg", "ping"})
"""Parameters of a URL that was copied from Uptime Kuma; they are set again for each ping."""


class Ping(StrEnum):
    """The event that one ping reports."""

    START = "start"
    SUCCESS = "success"
    FAIL = "fail"


def report_ping(url: str | None, event: Ping, text: str, proxies: Proxies) -> str:
    """Report an event, if there is a URL; return the problem when the ping is not accepted, else nothing."""
    ping = None if url is None else write_ping(url, event, text)
    if ping is None:
        return ""
    try:
        send_ping(ping, proxies)
    except CheckError as error:
        log.warning("heartbeat.failed", ping=str(event), detail=str(error))
        return f"the heartbeat does not arrive: {error}"
    log.debug("heartbeat.sent", ping=str(event))
    return ""


def judge_check(failure: str, waiting_since: datetime | None, now: datetime) -> tuple[Ping, str]:
    """Return the event to report after a check: success only without a `failure` and with a healthy outbox."""
    if problem := clean(failure) or describe_undelivered(waiting_since, now):
        return Ping.FAIL, problem
    return Ping.SUCCESS, "the check has worked"


def write_ping(url: str, event: Ping, text: str) -> Request | None:
    """Return the request that reports `event` to `url`; None if the service does not know this event."""
    parts = urlsplit(url)
    if _KUMA_PATH not in parts.path:
        ending = "" if event is Ping.SUCCESS else f"/{event}"
        to = parts._replace(path=parts.path.rstrip("/") + ending).geturl()
        return Request(url=to, method="POST", headers={"Content-Type": "text/plain; charset=utf-8"}, body=text.encode())
    if event is Ping.START:
        return None
    kept = [(name, value) for name, value in parse_qsl(parts.query) if name not in _KUMA_WORDS]
    said = {"status": "up" if event is Ping.SUCCESS else "down", "msg": clean(text)}
    return Request(url=parts._replace(query=urlencode([*kept, *said.items()])).geturl())


def send_ping(ping: Request, proxies: Proxies, limits: Limits = LIMITS) -> None:
    """Send `ping`, or raise `CheckError`, which shows only host and port of its URL: that is a secret."""
    from mastodon_update_check.http import client  # loads httpx

    response = client.send(ping, proxies, limits)
    if response.status // 100 != 2:  # noqa: PLR2004
        raise CheckError(Cause.HTTP_STATUS, f"{response.peer} answers with status {response.status}")
    if _UNKNOWN in response.body:
        raise CheckError(Cause.HTTP_STATUS, f"{response.peer} does not know this URL")
