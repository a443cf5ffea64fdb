"""The schedule: centred jitter, no check dropped or doubled, under any change of the clock."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from statistics import mean

import pytest

from daemon.program import wait_until
from mastodon_update_check.daemon.scheduler import GRACE, Scheduler, centred

NONE = timedelta()
HOUR = timedelta(hours=1)


class Clocks:
    """A wall clock and a monotonic one, each set as a test likes; the library's own clock is the real one."""

    def __init__(self) -> None:
        self.step = NONE
        """How far the wall clock is from the truth."""
        self.passed = NONE
        """What the monotonic clock says has passed."""

    def wall(self) -> datetime:
        """Return the time of day."""
        return datetime.now(UTC) + self.step

    def monotonic(self) -> float:
        """Return seconds since whenever."""
        return self.passed.total_seconds()


class Checks:
    """Counts how often a check was due."""

    def __init__(self) -> None:
        self.due = 0

    def __call__(self) -> None:
        self.due += 1

    def wait(self, number: int) -> None:
        """Wait until it was due so often."""
        wait_until(lambda: self.due >= number, f"{number} checks")


@contextmanager
def scheduled(
    post: Callable[[], None], interval: timedelta, clocks: Clocks | None = None, jitter: timedelta = NONE
) -> Iterator[Scheduler]:
    """Run a schedule for the duration of the block."""
    clocks = clocks or Clocks()
    schedule = Scheduler(post, clocks.wall, clocks.monotonic)
    schedule.plan(interval, jitter)
    schedule.start()
    try:
        yield schedule
    finally:
        schedule.stop()


def planned_in(schedule: Scheduler) -> timedelta:
    """Return how long it is until the next check, by the true time."""
    next_at = schedule.next_check_at()
    assert next_at is not None
    return next_at - datetime.now(UTC)


@pytest.mark.parametrize(
    ("interval", "jitter"),
    [(timedelta(minutes=30), timedelta(minutes=1)), (timedelta(minutes=30), timedelta(minutes=30)), (HOUR, NONE)],
)
def test_jitter_is_centred(interval: timedelta, jitter: timedelta) -> None:
    """A check comes as often sooner as later: on average after the interval, never further off than half the jitter."""
    trigger = centred(interval, jitter)
    last = datetime(2026, 11, 23, tzinfo=UTC)
    waits = [(trigger.get_next_fire_time(last, last) - last) / interval for _ in range(20_000)]
    spread = jitter / 2 / interval
    assert mean(waits) == pytest.approx(1, rel=0.01)
    assert all(1 - spread - 1e-9 <= wait <= 1 + spread + 1e-9 for wait in waits)
    if jitter:
        assert max(waits) - min(waits) > spread


def test_first_check_is_due_at_once() -> None:
    """It does not wait for the interval; the second one does."""
    checks = Checks()
    with scheduled(checks, HOUR) as schedule:
        checks.wait(1)
        assert timedelta(minutes=59) < planned_in(schedule) <= HOUR
    assert checks.due == 1


def test_missed_checks_are_made_up_for_once() -> None:
    """After five missed checks (a busy process, a machine asleep) one is due, and the next in its time."""
    checks, clocks = Checks(), Clocks()
    clocks.step = -5 * HOUR
    with scheduled(checks, HOUR, clocks) as schedule:
        checks.wait(1)
        wait_until(lambda: planned_in(schedule) > NONE, "the next plan")
    assert checks.due == 1


def test_check_follows_check() -> None:
    """Also after one that could not be announced."""
    checks = Checks()

    def crash() -> None:
        checks()
        raise RuntimeError("as a test")

    with scheduled(crash, timedelta(seconds=0.1), jitter=timedelta(seconds=0.1)):
        checks.wait(4)


def test_new_plan_replaces_the_old_one() -> None:
    """A check is due at once, and then in the new interval only."""
    checks = Checks()
    with scheduled(checks, timedelta(seconds=0.05)) as schedule:
        checks.wait(2)
        schedule.plan(2 * HOUR, NONE)
        wait_until(lambda: planned_in(schedule) > HOUR, "the new plan")
        count = checks.due
        schedule.heal()
        time.sleep(0.2)
        assert checks.due == count
        assert planned_in(schedule) > HOUR


STEPS: list[tuple[str, timedelta, timedelta, int]] = [
    ("nothing has happened", NONE, NONE, 1),
    ("the clock was set back by less than the interval", -HOUR / 2, NONE, 2),
    ("the interval has passed by the clock that cannot be set", NONE, HOUR + timedelta(seconds=2), 2),
    ("the clock was set back by years", timedelta(days=-800), NONE, 2),
]


@pytest.mark.parametrize(("sentence", "step", "passed", "due"), STEPS, ids=[row[0] for row in STEPS])
def test_clock_that_is_set_back_delays_no_check(sentence: str, step: timedelta, passed: timedelta, due: int) -> None:
    """It is due at once rather than an interval later by the wrong clock."""
    del sentence
    checks, clocks = Checks(), Clocks()
    with scheduled(checks, HOUR, clocks) as schedule:
        checks.wait(1)
        wait_until(lambda: planned_in(schedule) > NONE, "the next plan")
        schedule.note_begun()
        clocks.step, clocks.passed = step, passed
        schedule.heal()
        checks.wait(due)
        time.sleep(0.1)
    assert checks.due == due


def test_clock_that_is_set_forward() -> None:
    """It makes a check due sooner, not never; a plan that is not due is left alone."""
    checks, clocks = Checks(), Clocks()
    with scheduled(checks, HOUR, clocks) as schedule:
        checks.wait(1)
        planned_at = schedule.next_check_at()
        for clocks.step in (2 * HOUR, NONE):
            schedule.heal()
            assert schedule.next_check_at() == planned_at
    assert checks.due == 1


def test_nothing_planned() -> None:
    """Before there is a plan there is no next check, and nothing to heal."""
    schedule = Scheduler(Checks(), Clocks().wall)
    schedule.heal()
    assert schedule.next_check_at() is None


def test_is_on_time() -> None:
    """When no check has begun for longer than can be, this process has a problem; a begun check ends it."""
    checks, clocks = Checks(), Clocks()
    with scheduled(checks, HOUR, clocks, jitter=timedelta(minutes=10)) as schedule:
        clocks.passed = HOUR + timedelta(minutes=5) + GRACE - timedelta(seconds=1)
        assert schedule.is_on_time()
        clocks.passed += timedelta(seconds=1)
        assert not schedule.is_on_time()
        schedule.note_begun()
        assert schedule.is_on_time()
