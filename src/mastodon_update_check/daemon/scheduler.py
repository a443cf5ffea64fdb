"""When checks run: at once, then every interval with a centred spread, none dropped, never two at a time."""

import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.jobstores.base import JobLookupError
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.interval import IntervalTrigger

from mastodon_update_check.jobs.clock import Clock

GRACE = timedelta(minutes=5)
"""How much later than planned a check may begin before something is wrong with this process."""
SLACK = timedelta(seconds=1)
"""How much later than planned a check may begin before it is put forward."""
_JOB = "check"


class Scheduler:
    """APScheduler, with its traps guarded: it drops late runs, its jitter only adds, it trusts the wall clock."""

    def __init__(
        self, check: Callable[[], None], clock: Clock, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._check = check
        self._clock = clock
        self._monotonic = monotonic
        self._longest = timedelta()
        self._begun_at = monotonic()
        self._is_checking = False
        # One thread: a check that is due while another runs waits for its turn.
        self._scheduler = BackgroundScheduler(executors={"default": ThreadPoolExecutor(1)}, timezone=UTC)

    def plan(self, interval: timedelta, jitter: timedelta) -> None:
        """Check at once, and then every `interval`; replaces what was planned before."""
        self._longest = interval + jitter / 2
        self._scheduler.add_job(
            self._run,
            centred(interval, jitter),
            id=_JOB,
            replace_existing=True,
            next_run_time=self._clock(),
            misfire_grace_time=None,  # however late a run is (a suspended machine), it is made up for, once
            coalesce=True,
            max_instances=2,  # one under way, one waiting for it
        )

    def stand(self) -> None:
        """Stand ready: everything is there that can fail, and nothing runs yet."""
        self._scheduler.start(paused=True)

    def start(self) -> None:
        """Begin."""
        if self._scheduler.running:
            self._scheduler.resume()
        else:
            self._scheduler.start()

    def stop(self) -> None:
        """Begin no further check; one under way goes on."""
        self._scheduler.shutdown(wait=False)

    def put_off(self, until: datetime) -> None:
        """Check next at an instant, which is at most an interval from now."""
        latest = self._clock() + self._longest
        with suppress(JobLookupError):  # it has been stopped meanwhile
            self._scheduler.modify_job(_JOB, next_run_time=min(until, latest))

    def next_check_at(self) -> datetime | None:
        """Return when the next check is planned."""
        job = self._scheduler.get_job(_JOB)
        return None if job is None or job.next_run_time is None else job.next_run_time.astimezone(UTC)

    def heal(self) -> None:
        """Mend what steps of the wall clock, or a suspension, do to the plan."""
        next_at, now = self.next_check_at(), self._clock()
        if next_at is None or self._is_checking:
            return
        if next_at < now:
            self._scheduler.wakeup()  # it sleeps by a clock that stands still while a machine sleeps
        elif max(next_at - now, self._since_last()) > self._longest + SLACK:
            self._scheduler.modify_job(_JOB, next_run_time=now)  # the clock was set back: do not wait twice

    def is_on_time(self) -> bool:
        """Whether checks begin when they should, by a clock that cannot be set."""
        return self._since_last() < self._longest + GRACE

    def _since_last(self) -> timedelta:
        return timedelta(seconds=self._monotonic() - self._begun_at)

    def _run(self) -> None:
        self._begun_at = self._monotonic()
        self._is_checking = True
        try:
            self._check()
        finally:
            self._is_checking = False


def centred(interval: timedelta, jitter: timedelta) -> IntervalTrigger:
    """Return a trigger that fires every `interval` on average, each time up to half of `jitter` sooner or later.

    The library adds up to `jitter` to each wait: starting half of it earlier centres the spread.
    """
    seconds = (interval - jitter / 2).total_seconds()
    return IntervalTrigger(seconds=seconds, jitter=jitter.total_seconds() or None, timezone=UTC)
