"""The schedule: centred jitter, no check dropped or doubled, under any change of the clock."""

import time
from datetime import timedelta
from pathlib import Path
from statistics import mean

import pytest

from daemon.program import wait_until
from mastodon_update_check.daemon.schedule import Schedule, boot_seconds

HOUR = 3600.0


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.mark.parametrize(("interval", "jitter"), [(1800, 60), (1800, 1800), (HOUR, 0)])
def test_jitter_is_centred(interval: float, jitter: float) -> None:
    """A check comes as often sooner as later: on average after the interval, never further off than half the jitter."""
    schedule, waits = Schedule(Clock()), []
    for _ in range(20_000):
        schedule.begin(interval, jitter)
        waits.append(schedule.due_in.total_seconds())
    assert mean(waits) == pytest.approx(interval, rel=0.01)
    assert min(waits) >= interval - jitter / 2
    assert max(waits) <= interval + jitter / 2
    assert (max(waits) - min(waits) > jitter / 2) == (jitter > 0)


def test_missed_checks_are_made_up_for_once() -> None:
    """The first check is due at once; after five missed ones (a busy process) one is due, the next in its time."""
    clock = Clock()
    schedule = Schedule(clock)
    assert schedule.due_in == timedelta()
    schedule.begin(HOUR, 0)
    assert schedule.due_in == timedelta(hours=1)
    clock.seconds += 5 * HOUR
    assert schedule.due_in == timedelta(hours=-4)
    schedule.begin(HOUR, 0)
    assert schedule.due_in == timedelta(hours=1)
    schedule.make_due()
    assert schedule.due_in == timedelta()


@pytest.mark.parametrize("step", [-800 * 24 * HOUR, -HOUR, HOUR])
def test_clock_that_is_set_back_delays_no_check(monkeypatch: pytest.MonkeyPatch, step: float) -> None:
    """The time of day does not matter, and neither does it for a clock that is set forward."""
    schedule, now = Schedule(), time.time
    schedule.begin(0.2, 0)
    monkeypatch.setattr(time, "time", lambda: now() + step)
    assert schedule.due_in > timedelta()
    wait_until(lambda: schedule.due_in <= timedelta(), "the check")
    schedule.begin(HOUR, 0)
    assert timedelta(minutes=59) < schedule.due_in <= timedelta(hours=1)


def test_time_in_which_the_machine_sleeps_counts() -> None:
    """The clock is the one of /proc/uptime, which goes on in a suspended machine (proc(5))."""
    assert boot_seconds() == pytest.approx(float(Path("/proc/uptime").read_text().split()[0]), abs=5)
