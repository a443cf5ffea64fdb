"""When checks are due: at once, then every interval with a centred spread, none dropped."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.interval import IntervalTrigger

GRACE = timedelta(minutes=5)
"""How much later than planned a check may begin before something is wrong with this process."""
SLACK = timedelta(seconds=1)
"""How much later than planned a check may begin before it is put forward."""
_JOB = "check"


class Scheduler:
    """APScheduler with guards: it drops late runs, its jitter only adds, and it trusts the wall clock."""

    def __init__(
        self,
        post: Callable[[], None],
        clock: Callable[[], datetime],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`post` says that a check is due; it must not take long."""
        self._post = post
        self._clock = clock
        self._monotonic = monotonic
        self._longest = timedelta()
        self._begun_at = monotonic()
        self._scheduler = BackgroundScheduler(executors={"default": ThreadPoolExecutor(1)}, timezone=UTC)

    def plan(self, interval: timedelta, jitter: timedelta) -> None:
        """Check at once, and then every `interval`; replaces the former plan."""
        self._longest = interval + jitter / 2
        self._scheduler.add_job(
            self._post,
            centred(interval, jitter),
            id=_JOB,
            replace_existing=True,
            next_run_time=self._clock(),
            misfire_grace_time=None,  # however late a run is (a suspended machine), it is made up for, once
            coalesce=True,
        )

    def start(self) -> None:
        """Begin."""
        self._scheduler.start()

    def stop(self) -> None:
        """Begin no further check."""
        self._scheduler.shutdown(wait=False)

    def next_check_at(self) -> datetime | None:
        """Return when the next check is planned."""
        job = self._scheduler.get_job(_JOB)
        return None if job is None or job.next_run_time is None else job.next_run_time.astimezone(UTC)

    def note_begun(self) -> None:
        """Note that a check has begun."""
        self._begun_at = self._monotonic()

    def heal(self) -> None:
        """Repair what steps of the wall clock, or a suspended machine, do to the plan."""
        next_at, now = self.next_check_at(), self._clock()
        if next_at is None:
            return
        if next_at < now:
            self._scheduler.wakeup()  # it sleeps by a clock that stands still while a machine sleeps
        elif max(next_at - now, self._since_last()) > self._longest + SLACK:
            self._scheduler.modify_job(_JOB, next_run_time=now)  # the clock was set back: do not wait twice

    def is_on_time(self) -> bool:
        """Return whether checks begin when they should, by a clock that cannot be set."""
        return self._since_last() < self._longest + GRACE

    def _since_last(self) -> timedelta:
        return timedelta(seconds=self._monotonic() - self._begun_at)


def centred(interval: timedelta, jitter: timedelta) -> IntervalTrigger:
    """Return a trigger that fires every `interval` on average, each time up to half of `jitter` sooner or later.

    The library adds up to `jitter` to each wait: starting half of it earlier centres the spread.
    """
    seconds = (interval - jitter / 2).total_seconds()
    return IntervalTrigger(seconds=seconds, jitter=jitter.total_seconds() or None, timezone=UTC)
