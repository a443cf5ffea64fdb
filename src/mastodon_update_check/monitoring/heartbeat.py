"""The heartbeat: says to a monitoring service that a check begins, and what came of it.

A ping that is not taken delays a check by its bound at most, and is said in the log and by `status`.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from mastodon_update_check.domain.heartbeats import Beat, judge_beat, write_ping
from mastodon_update_check.errors import CheckError
from mastodon_update_check.http.proxies import Proxies
from mastodon_update_check.logs import log


@dataclass(slots=True)
class Heartbeat:
    """One monitoring URL, or none."""

    url: str | None = field(repr=False)
    proxies: Proxies = field(repr=False)
    monotonic: Callable[[], float] = time.monotonic
    trouble: str = ""
    """Why the last ping was not taken; empty when it was."""
    _begun_at: float | None = None
    """When a check began whose end has not been said yet."""
    _is_well: bool = False

    @property
    def warnings(self) -> tuple[str, ...]:
        """The trouble, as a check's warning."""
        return (self.trouble,) if self.trouble else ()

    def begin(self) -> None:
        """Say that a check begins."""
        self._begun_at = self.monotonic()
        self._send(Beat.START, "a check begins", None)

    def finish(self, failure: str, waiting_since: datetime | None, now: datetime) -> None:
        """Say what came of it; see `judge_beat`."""
        beat, text = judge_beat(failure, waiting_since, now)
        self._is_well = beat is Beat.SUCCESS
        self._end(beat, text)

    def stop(self) -> None:
        """Close what a planned stop cuts short: that is no failure, and the service waits for an end."""
        if self._begun_at is not None and self._is_well:
            self._end(Beat.SUCCESS, "stopped as planned")

    def _end(self, beat: Beat, text: str) -> None:
        begun_at, self._begun_at = self._begun_at, None
        self._send(beat, text, None if begun_at is None else timedelta(seconds=self.monotonic() - begun_at))

    def _send(self, beat: Beat, text: str, took: timedelta | None) -> None:
        ping = None if self.url is None else write_ping(self.url, beat, text, took)
        if ping is None:
            return
        from mastodon_update_check.monitoring.ping import send_ping

        try:
            send_ping(ping, self.proxies)
        except CheckError as error:
            self.trouble = f"the heartbeat does not arrive: {error}"
            log.warning("heartbeat.failed", beat=str(beat), detail=str(error))
        else:
            self.trouble = ""
            log.debug("heartbeat.sent", beat=str(beat))
