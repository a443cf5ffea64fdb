"""Notifications to systemd: ready, reloading, stopping, the watchdog, and a status line with present problems."""

import os
import time
from datetime import timedelta

from mastodon_update_check.domain.text import clean
from mastodon_update_check.logs import log

STATUS_CHARACTERS = 200
SEND_SECONDS = 1.0
"""How long to wait for a receiver that does not read; then the notification is dropped."""


class SystemdNotifier:
    """Notifies systemd if it has started this process (sd_notify(3)). Any thread may use it."""

    def __init__(self) -> None:
        self._notifier = None
        if os.environ.get("NOTIFY_SOCKET"):
            from sdnotify import SystemdNotifier

            self._notifier = SystemdNotifier()
            if self._notifier.socket is not None:
                self._notifier.socket.settimeout(SEND_SECONDS)

    @property
    def watchdog_interval(self) -> timedelta | None:
        """Return half of the watchdog's patience; None when there is no watchdog for this process."""
        if os.environ.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
            return None
        patience = os.environ.get("WATCHDOG_USEC", "")
        return timedelta(microseconds=int(patience) / 2) if patience.isdecimal() and int(patience) else None

    def reloading(self) -> None:
        """Say that the settings are being read again; `READY=1` follows in any case."""
        self.notify(f"RELOADING=1\nMONOTONIC_USEC={time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000}")

    def status(self, text: str) -> None:
        """Show a line in `systemctl status`; a line break in it would let it say other things, so none is left."""
        self.notify(f"STATUS={clean(text, STATUS_CHARACTERS)}")

    def notify(self, state: str) -> None:
        """Send assignments, as in `READY=1`."""
        if self._notifier is not None:
            # The library encodes as Latin-1, and systemd takes UTF-8 alone: hand it UTF-8's bytes one by one.
            self._notifier.notify(state.encode().decode("latin-1"))


class CurrentProblems:
    """The present problem of each part: shown in the status line, and logged when it begins, changes or ends."""

    def __init__(self) -> None:
        self._texts: dict[str, str] = {}

    def set(self, part: str, problem: str) -> None:
        """Keep a problem of a part; none is the empty text."""
        before = self.get(part)
        self._texts[part] = problem
        if problem and problem != before:
            log.error(f"{part}.failed", detail=problem)
        elif before and not problem:
            log.info(f"{part}.recovered")

    def get(self, part: str) -> str:
        """Return the present problem of a part."""
        return self._texts.get(part, "")

    def prefix(self, line: str) -> str:
        """Return the status line: problems first, since it is cut at its end."""
        return ". ".join(dict.fromkeys([*filter(None, self._texts.values()), line]))
