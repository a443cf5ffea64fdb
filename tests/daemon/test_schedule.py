"""The schedule: centred jitter, nothing dropped, nothing twice, whatever the clocks do."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from statistics import mean

import pytest

from daemon.program import LONGEST, wait_until
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
    """Counts checks; each ends when `may_end` is set."""

    def __init__(self) -> None:
        self.begun = 0
        self.at_once = 0
        self.most_at_once = 0
        self.may_end = threading.Event()
        self.may_end.set()

    def __call__(self) -> None:
        self.begun += 1
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        self.may_end.wait(LONGEST)
        self.at_once -= 1

    def wait(self, number: int) -> None:
        """Wait until so many have begun and ended."""
        wait_until(lambda: self.begun >= number and not self.at_once, f"{number} checks")


@contextmanager
def scheduled(
    checks: Callable[[], None], interval: timedelta, clocks: Clocks | None = None, jitter: timedelta = NONE
) -> Iterator[Scheduler]:
    """Run a schedule for the duration of the block."""
    clocks = clocks or Clocks()
    schedule = Scheduler(checks, clocks.wall, clocks.monotonic)
    schedule.plan(interval, jitter)
    schedule.start()
    try:
        yield schedule
    finally:
        schedule.stop()


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
    assert 1 == pytest.approx(mean(waits), rel=0.01)
    assert all(1 - spread - 1e-9 <= wait <= 1 + spread + 1e-9 for wait in waits)
    if jitter:
        assert max(waits) - min(waits) > spread


def test_first_check_at_once() -> None:
    """The first check does not wait for the interval; the second does."""
    checks = Checks()
    with scheduled(checks, HOUR) as schedule:
        checks.wait(1)
        next_at = schedule.next_check_at()
        assert next_at is not None
        assert timedelta(minutes=59) < next_at - datetime.now(UTC) <= HOUR
        assert UTC == next_at.tzinfo
    assert 1 == checks.begun


def test_late_checks_are_made_up_for_once() -> None:
    """After five missed slots (a busy process, a machine asleep) one check is made, and the next in its time."""
    checks, clocks = Checks(), Clocks()
    clocks.step = -5 * HOUR
    with scheduled(checks, HOUR, clocks) as schedule:
        checks.wait(1)
        next_at = schedule.next_check_at()
        assert next_at is not None
        assert next_at > datetime.now(UTC)
    assert 1 == checks.begun


def test_checks_go_on() -> None:
    """Check follows check."""
    checks = Checks()
    with scheduled(checks, timedelta(seconds=0.1), jitter=timedelta(seconds=0.1)):
        checks.wait(4)


def test_a_crash_ends_nothing() -> None:
    """A check that raises is followed by the next one."""
    checks = Checks()

    def crash() -> None:
        checks()
        raise RuntimeError("as a test")

    with scheduled(crash, timedelta(seconds=0.1)):
        checks.wait(3)


def test_never_two_at_once() -> None:
    """A check that is due while another runs waits for its end, and is not lost."""
    checks = Checks()
    checks.may_end.clear()
    with scheduled(checks, timedelta(seconds=0.05)) as schedule:
        wait_until(lambda: checks.at_once, "the first")
        first_at = schedule.next_check_at()
        wait_until(lambda: schedule.next_check_at() != first_at, "the next is due")
        assert 1 == checks.begun
        checks.may_end.set()
        checks.wait(2)
    assert 1 == checks.most_at_once


def test_reload_during_a_check() -> None:
    """Whoever plans anew during a check gets another one, after it: the first may have begun by the old settings."""
    checks = Checks()
    checks.may_end.clear()
    with scheduled(checks, HOUR) as schedule:
        wait_until(lambda: checks.at_once, "the first")
        schedule.plan(2 * HOUR, NONE)
        checks.may_end.set()
        checks.wait(2)
        next_at = schedule.next_check_at()
        assert next_at is not None
        assert next_at - datetime.now(UTC) > HOUR
    assert (2, 1) == (checks.begun, checks.most_at_once)


def test_reload_does_not_add_a_schedule() -> None:
    """A new plan takes the old one's place."""
    checks = Checks()
    with scheduled(checks, timedelta(seconds=0.05)) as schedule:
        checks.wait(1)
        schedule.plan(HOUR, NONE)
        wait_until(lambda: (schedule.next_check_at() or datetime.now(UTC)) > datetime.now(UTC) + HOUR / 2, "the plan")
        wait_until(lambda: not checks.at_once, "the end")
        count = checks.begun
        schedule.heal()
        assert count == checks.begun


def test_clock_set_back() -> None:
    """A clock that is set back by an hour delays no check by an hour: the wait is over when it is over."""
    checks, clocks = Checks(), Clocks()
    with scheduled(checks, 6 * HOUR, clocks) as schedule:
        checks.wait(1)
        clocks.step, clocks.passed = 5 * HOUR, 6 * HOUR  # six hours have passed, and the clock was set back by one
        planned_at = schedule.next_check_at()
        schedule.heal()
        assert planned_at == schedule.next_check_at()
        clocks.passed += timedelta(seconds=2)
        schedule.heal()
        next_at = schedule.next_check_at()
        assert next_at is not None
        assert next_at <= clocks.wall()


def test_clock_set_back_by_years() -> None:
    """A plan that lies further ahead than any wait is wrong, and is not waited for."""
    checks, clocks = Checks(), Clocks()
    with scheduled(checks, HOUR, clocks) as schedule:
        checks.wait(1)
        clocks.step = timedelta(days=-800)
        schedule.heal()
        checks.wait(2)


def test_clock_set_forward() -> None:
    """A clock that is set forward makes a check come sooner, not never; what is not due is left alone."""
    checks, clocks = Checks(), Clocks()
    with scheduled(checks, HOUR, clocks) as schedule:
        checks.wait(1)
        planned_at = schedule.next_check_at()
        clocks.step = 2 * HOUR
        schedule.heal()
        assert planned_at == schedule.next_check_at()
        clocks.step = NONE
        schedule.heal()
        assert planned_at == schedule.next_check_at()
    assert 1 == checks.begun


def test_healing_leaves_a_long_check_alone() -> None:
    """A check that takes long is not followed by more than its one successor."""
    checks, clocks = Checks(), Clocks()
    checks.may_end.clear()
    with scheduled(checks, HOUR, clocks) as schedule:
        wait_until(lambda: checks.at_once, "the first")
        planned_at = schedule.next_check_at()
        clocks.passed = 3 * HOUR
        schedule.heal()
        assert planned_at == schedule.next_check_at()
        checks.may_end.set()
        checks.wait(1)
    assert 1 == checks.begun


def test_nothing_planned() -> None:
    """Before there is a plan there is no next check, and nothing to mend."""
    schedule = Scheduler(Checks(), Clocks().wall)
    schedule.heal()
    assert schedule.next_check_at() is None


def test_put_off_after_the_stop() -> None:
    """A check that ends while the daemon stops puts nothing off any more, and nobody reads of a crash."""
    clocks = Clocks()
    schedule = Scheduler(Checks(), clocks.wall)
    schedule.plan(HOUR, NONE)
    schedule.stand()
    schedule.stop()
    schedule.put_off(clocks.wall() + HOUR)
    assert schedule.next_check_at() is None


def test_is_on_time() -> None:
    """When no check has begun for longer than can be, something is wrong with this process."""
    checks, clocks = Checks(), Clocks()
    with scheduled(checks, HOUR, clocks, jitter=timedelta(minutes=10)) as schedule:
        checks.wait(1)
        clocks.passed = HOUR + timedelta(minutes=5) + GRACE - timedelta(seconds=1)
        assert schedule.is_on_time()
        clocks.passed += timedelta(seconds=1)
        assert not schedule.is_on_time()
