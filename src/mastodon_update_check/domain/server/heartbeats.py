"""Pings for a monitoring service that raises the alarm when they stop: the event, and how its URL is written.

Healthchecks' form: the URL itself for success, `/start` and `/fail` behind its path. Uptime Kuma's push monitors know
only up and down, and take them in the query of `/api/push/…`.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from urllib.parse import parse_qsl, urlencode, urlsplit

from mastodon_update_check.domain.server.status import describe_undelivered
from mastodon_update_check.domain.text import clean

_KUMA_PATH = "/api/push/"
_KUMA_WORDS = frozenset({"status", "msg", "ping"})
"""Parameters of a URL that was copied from Uptime Kuma; they are set again for each ping."""


class Beat(StrEnum):
    """The event that one ping reports."""

    START = "start"
    SUCCESS = "success"
    FAIL = "fail"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ping:
    """One request to the monitoring service."""

    method: str
    url: str
    text: str
    """Body of a POST: a sentence for the service's log."""


def write_ping(url: str, beat: Beat, text: str, took: timedelta | None = None) -> Ping | None:
    """Return the request that reports `beat` to `url`; None if the service does not know this event."""
    parts = urlsplit(url)
    if _KUMA_PATH in parts.path:
        if beat is Beat.START:
            return None
        kept = [(name, value) for name, value in parse_qsl(parts.query) if name not in _KUMA_WORDS]
        said = {"status": "up" if beat is Beat.SUCCESS else "down", "msg": clean(text)}
        duration = {} if took is None else {"ping": str(round(took.total_seconds() * 1000))}
        return Ping(
            method="GET", url=parts._replace(query=urlencode([*kept, *(said | duration).items()])).geturl(), text=""
        )
    ending = "" if beat is Beat.SUCCESS else f"/{beat}"
    return Ping(method="POST", url=parts._replace(path=parts.path.rstrip("/") + ending).geturl(), text=text)


def judge_beat(failure: str, waiting_since: datetime | None, now: datetime) -> tuple[Beat, str]:
    """Return the event to report after a check: success only without a `failure` and with a healthy outbox."""
    if failure:
        return Beat.FAIL, clean(failure)
    if problem := describe_undelivered(waiting_since, now):
        return Beat.FAIL, problem
    return Beat.SUCCESS, "the check has worked"
