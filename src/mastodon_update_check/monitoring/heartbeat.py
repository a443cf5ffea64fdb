"""The heartbeat: reports to a monitoring service that a check begins, and how it ended.

A ping that is not accepted delays a check by 10 s at most, and is reported in the log and by `status`.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from mastodon_update_check.domain.server.heartbeats import Beat, Ping, judge_beat, write_ping
from mastodon_update_check.errors import Cause, CheckError
from mastodon_update_check.http.proxies import Proxies
from mastodon_update_check.http.request import EXCERPT, Limits, Request
from mastodon_update_check.logs import log

LIMITS = replace(EXCERPT, total=timedelta(seconds=10))
_UNKNOWN = b"not found"
"""Healthchecks answers 200 and `OK (not found)` when no check has this URL."""
_TEXT = {"Content-Type": "text/plain; charset=utf-8"}


@dataclass(slots=True)
class Heartbeat:
    """One monitoring URL, or none."""

    url: str | None = field(repr=False)
    proxies: Proxies = field(repr=False)
    monotonic: Callable[[], float] = time.monotonic
    problem: str = ""
    """The error of the last ping; empty when it was accepted."""
    _begun_at: float | None = None
    """When the current check began; None when its end has been reported."""
    _is_well: bool = False
    """Whether the last check succeeded."""

    @property
    def warnings(self) -> tuple[str, ...]:
        """The problem, as a check's warning."""
        return (self.problem,) if self.problem else ()

    def begin(self, failure: str, waiting_since: datetime | None, now: datetime) -> None:
        """Report that a check begins; the arguments are those of `judge_beat` for the check before."""
        self._is_well = judge_beat(failure, waiting_since, now)[0] is Beat.SUCCESS
        self._begun_at = self.monotonic()
        self._send(Beat.START, "a check begins", None)

    def finish(self, failure: str, waiting_since: datetime | None, now: datetime) -> None:
        """Report how the check ended; see `judge_beat`."""
        self._end(*judge_beat(failure, waiting_since, now))

    def stop(self) -> None:
        """Report success for a check that a planned stop interrupts, if the last one succeeded."""
        if self._begun_at is not None and self._is_well:
            self._end(Beat.SUCCESS, "stopped as planned")

    def _end(self, beat: Beat, text: str) -> None:
        begun_at, self._begun_at = self._begun_at, None
        self._send(beat, text, None if begun_at is None else timedelta(seconds=self.monotonic() - begun_at))

    def _send(self, beat: Beat, text: str, took: timedelta | None) -> None:
        ping = None if self.url is None else write_ping(self.url, beat, text, took)
        if ping is None:
            return
        try:
            send_ping(ping, self.proxies)
        except CheckError as error:
            self.problem = f"the heartbeat does not arrive: {error}"
            log.warning("heartbeat.failed", beat=str(beat), detail=str(error))
        else:
            self.problem = ""
            log.debug("heartbeat.sent", beat=str(beat))


def send_ping(ping: Ping, proxies: Proxies, limits: Limits = LIMITS) -> None:
    """Send `ping`; of its URL, which is a secret, an error shows only the host and port.

    Raises:
        CheckError: it was not accepted.
    """
    from mastodon_update_check.http import client  # loads httpx

    body = ping.text.encode() if ping.method == "POST" else None
    response = client.send(Request(method=ping.method, url=ping.url, headers=_TEXT, body=body), proxies, limits)
    if response.status // 100 != 2:  # noqa: PLR2004
        raise CheckError(Cause.HTTP_STATUS, f"{response.peer} answers with status {response.status}")
    if _UNKNOWN in response.body:
        raise CheckError(Cause.HTTP_STATUS, f"{response.peer} does not know this URL")
