"""The child processes that run at this moment, one of each kind at most."""

import time
from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta
from queue import Empty, SimpleQueue

from mastodon_update_check.daemon.child import ChildProcess
from mastodon_update_check.logs import log


class Children:
    """Starts and ends jobs; each posts itself to `events` when it has ended."""

    def __init__(self, events: "SimpleQueue[object]") -> None:
        self._events = events
        self._running: dict[str, ChildProcess] = {}

    def __len__(self) -> int:
        return len(self._running)

    def __contains__(self, name: str) -> bool:
        return name in self._running

    def start(self, name: str, silence: timedelta, order: Mapping[str, object], lock: int | None) -> None:
        """Start a job, which inherits the ledger's lock; raises what `ChildProcess` raises."""
        inherited = () if lock is None else (lock,)
        self._running[name] = ChildProcess(name, order, silence, self._events.put, inherited)

    def forget(self, child: ChildProcess) -> None:
        """Remove a job that has ended."""
        if self._running.get(child.name) is child:
            del self._running[child.name]

    def kill_silent(self) -> None:
        """Kill the jobs that have been silent for too long."""
        for child in self._running.values():
            child.kill_if_silent()

    def kill(self) -> None:
        """Kill every job."""
        for child in self._running.values():
            child.process.kill()

    def stop(self, patience: timedelta) -> None:
        """Let every job finish its attempts, and kill those that take too long."""
        for child in self._running.values():
            child.process.terminate()
        self.wait(patience)

    def wait(self, patience: timedelta) -> None:
        """Wait until every job has ended, and kill those that take too long."""
        end = time.monotonic() + patience.total_seconds()
        while self._running and time.monotonic() < end:
            with suppress(Empty):
                event = self._events.get(timeout=max(end - time.monotonic(), 0.01))
                if isinstance(event, ChildProcess):
                    self.forget(event)
        for child in self._running.values():
            log.warning("job.killed", job=child.name, detail="it did not end in time; its open attempts are repeated")
        self.kill()
