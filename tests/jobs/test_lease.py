"""Keeping a claim alive while its message is being sent, and finding out that it is lost."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from jobs.examples import PATIENCE_SECONDS
from ledger.examples import (
    DAY,
    LEASE_OVER,
    NOW,
    SECOND,
    SettableClock,
    accept,
    facts,
    find_claim,
    replan,
    take,
    update,
)
from ledger.places import query
from mastodon_update_check.domain.outbox import LEASE, LEASE_RENEWAL
from mastodon_update_check.errors import ClaimLostError, LedgerError
from mastodon_update_check.jobs.lease import LeaseKeeper, confirm
from mastodon_update_check.ledger.claims import Claim
from mastodon_update_check.ledger.instants import stamp
from mastodon_update_check.ledger.ledger import Ledger

OFTEN = timedelta(milliseconds=20)


@pytest.fixture
def claim(ledger: Ledger) -> Claim:
    """Return a message in hand."""
    replan(ledger, facts(update("4.5.1")))
    return take(ledger)


def wait_until(holds: Callable[[], bool]) -> None:
    """Wait for another thread; fail if what it is to do does not come."""
    end = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.001)


def is_running() -> bool:
    """Whether there is a thread that renews leases."""
    return any(thread.name == "leases of email" for thread in threading.enumerate())


def lease_until(path: Path) -> object:
    """Return when the lease of the only message ends."""
    return query(path, "SELECT lease_until FROM message")[0][0]


def opener(path: Path) -> Callable[[], Ledger]:
    """Return what opens the ledger for another thread."""
    return lambda: Ledger.open(path, verify=False)


@contextmanager
def keeping(
    claim: Claim, open_ledger: Callable[[], Ledger], clock: SettableClock, every: timedelta = OFTEN
) -> Iterator[None]:
    """Keep one claim alive."""
    with LeaseKeeper("email", open_ledger, clock, every) as keeper, keeper.keeping(claim):
        yield


def test_a_claim_is_kept_alive(ledger: Ledger, path: Path, clock: SettableClock, claim: Claim) -> None:
    """However long the sink takes, nobody else gets the message; nothing is left of the keeper afterwards."""
    with keeping(claim, opener(path), clock):
        for _ in range(3):
            clock.step(LEASE - SECOND)
            wait_until(lambda: lease_until(path) == stamp(clock() + LEASE))
        assert find_claim(ledger, clock()) is None
        assert is_running()

    assert not is_running()
    assert clock() > NOW + LEASE_OVER


def test_one_claim_after_the_other(path: Path, clock: SettableClock, claim: Claim, ledger: Ledger) -> None:
    """One keeper serves them all, and renews none that is no longer in hand."""
    with LeaseKeeper("email", opener(path), clock, OFTEN) as keeper:
        with keeper.keeping(claim):
            pass
        clock.step(LEASE_OVER)
        other = take(ledger, clock())
        clock.step(SECOND)
        with keeper.keeping(other):
            wait_until(lambda: lease_until(path) == stamp(clock() + LEASE))

    assert not is_running()


def test_nothing_in_hand_keeps_nothing(path: Path, clock: SettableClock) -> None:
    """Without a claim there is not even a thread."""
    with LeaseKeeper("email", opener(path), clock, OFTEN):
        assert not is_running()


def test_a_claim_that_is_lost_is_left_alone(ledger: Ledger, path: Path, clock: SettableClock, claim: Claim) -> None:
    """The ledger is asked once, and what it holds stays as it is."""
    accept(ledger, claim)
    asked = threading.Event()
    again: list[int] = []

    def open_ledger() -> Ledger:
        again.append(1)
        if len(again) > 1:
            asked.set()
        return Ledger.open(path, verify=False)

    with keeping(claim, open_ledger, clock):
        assert not asked.wait(10 * OFTEN.total_seconds())

    assert lease_until(path) is None
    assert [1] == again


def test_a_ledger_that_fails_for_a_moment(path: Path, clock: SettableClock, claim: Claim) -> None:
    """The next renewal may work, and then the claim is not lost."""
    failures = iter(range(3))

    def open_ledger() -> Ledger:
        for _ in failures:
            raise LedgerError("busy")
        return Ledger.open(path, verify=False)

    clock.step(SECOND)
    with keeping(claim, open_ledger, clock):
        wait_until(lambda: lease_until(path) == stamp(NOW + SECOND + LEASE))


def test_a_short_attempt_opens_no_ledger(clock: SettableClock, claim: Claim) -> None:
    """The first renewal is three seconds away."""
    with keeping(claim, lambda: pytest.fail("opened"), clock, LEASE_RENEWAL):
        assert is_running()

    assert not is_running()


def test_the_keeper_ends_with_its_block_whatever_happens(path: Path, clock: SettableClock, claim: Claim) -> None:
    """An error in the block is not its business."""
    with pytest.raises(KeyError), keeping(claim, opener(path), clock):
        raise KeyError

    assert not is_running()


def test_a_confirmation_extends_the_lease(ledger: Ledger, path: Path, clock: SettableClock, claim: Claim) -> None:
    """The body is handed over within a lease that has just begun; within its first second there is nothing to write."""
    clock.step(SECOND / 2)
    confirm(claim, ledger, clock)
    assert stamp(NOW + LEASE) == lease_until(path)

    clock.step(SECOND / 2)
    confirm(claim, ledger, clock)
    assert stamp(NOW + SECOND + LEASE) == lease_until(path)


@pytest.mark.parametrize("step", [-SECOND, SECOND, LEASE_OVER, -DAY, DAY])
def test_a_confirmation_with_another_clock(
    ledger: Ledger, path: Path, clock: SettableClock, claim: Claim, step: timedelta
) -> None:
    """Whatever the clock has done meanwhile, the lease is then one that has just begun."""
    clock.step(step)
    confirm(claim, ledger, clock)

    assert stamp(NOW + step + LEASE) == lease_until(path)


def test_a_claim_that_was_lost_just_now_cannot_be_confirmed(ledger: Ledger, clock: SettableClock, claim: Claim) -> None:
    """Also within the second in which nothing is written: the token tells."""
    ledger.release(claim, clock())
    take(ledger, clock())
    with pytest.raises(ClaimLostError):
        confirm(claim, ledger, clock)


def test_a_lost_claim_cannot_be_confirmed(ledger: Ledger, clock: SettableClock, claim: Claim) -> None:
    """Another process has taken the message over."""
    clock.step(LEASE_OVER)
    take(ledger, clock())
    with pytest.raises(ClaimLostError, match="another process has taken this message over"):
        confirm(claim, ledger, clock)
