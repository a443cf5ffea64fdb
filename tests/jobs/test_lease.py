"""Keeping a claim alive while its message is being sent, and finding out that it is lost."""

import threading
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from jobs.examples import PATIENCE_SECONDS
from ledger.examples import (
    LEASE_OVER,
    NOW,
    SECOND,
    SettableClock,
    accept,
    facts,
    find_claim,
    query,
    replan,
    take,
    update,
)
from mastodon_update_check.core.outbox import LEASE
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


def is_kept(claim: Claim) -> bool:
    """Whether a thread renews the claim's lease."""
    return any(thread.name == f"lease of {claim.message_id}" for thread in threading.enumerate())


def lease_until(path: Path) -> object:
    """Return when the lease of the only message ends."""
    return query(path, "SELECT lease_until FROM message")[0][0]


def opener(path: Path) -> Callable[[], Ledger]:
    """Return what opens the ledger for another thread."""
    return lambda: Ledger.open(path, verify=False)


def test_a_claim_is_kept_alive(ledger: Ledger, path: Path, clock: SettableClock, claim: Claim) -> None:
    """However long the sink takes, nobody else gets the message; nothing is left of the keeper afterwards."""
    with LeaseKeeper(claim, opener(path), clock, OFTEN):
        for _ in range(3):
            clock.step(LEASE - SECOND)
            wait_until(lambda: lease_until(path) == stamp(clock() + LEASE))
        assert find_claim(ledger, clock()) is None
        assert is_kept(claim)

    assert not is_kept(claim)
    assert clock() > NOW + LEASE_OVER


def test_a_claim_that_is_lost_is_left_alone(ledger: Ledger, path: Path, clock: SettableClock, claim: Claim) -> None:
    """The keeper ends, and the new owner's lease stays as it is."""
    accept(ledger, claim)
    with LeaseKeeper(claim, opener(path), clock, OFTEN):
        wait_until(lambda: not is_kept(claim))

    assert lease_until(path) is None


def test_a_ledger_that_fails_for_a_moment(path: Path, clock: SettableClock, claim: Claim) -> None:
    """The next renewal may work, and then the claim is not lost."""
    failures = iter(range(3))

    def open_ledger() -> Ledger:
        for _ in failures:
            raise LedgerError("busy")
        return Ledger.open(path, verify=False)

    clock.step(SECOND)
    with LeaseKeeper(claim, open_ledger, clock, OFTEN):
        wait_until(lambda: lease_until(path) == stamp(NOW + SECOND + LEASE))


def test_a_short_attempt_opens_no_ledger(clock: SettableClock, claim: Claim) -> None:
    """The first renewal is three seconds away."""
    with LeaseKeeper(claim, lambda: pytest.fail("opened"), clock):
        assert is_kept(claim)

    assert not is_kept(claim)


def test_the_keeper_ends_with_its_block_whatever_happens(path: Path, clock: SettableClock, claim: Claim) -> None:
    """An error in the block is not its business."""
    with pytest.raises(KeyError), LeaseKeeper(claim, opener(path), clock, OFTEN):
        raise KeyError

    assert not is_kept(claim)


def test_a_confirmation_extends_the_lease(ledger: Ledger, path: Path, clock: SettableClock, claim: Claim) -> None:
    """The body is handed over within a lease that has just begun."""
    clock.step(SECOND)
    confirm(claim, ledger, clock)

    assert stamp(NOW + SECOND + LEASE) == lease_until(path)


def test_a_lost_claim_cannot_be_confirmed(ledger: Ledger, clock: SettableClock, claim: Claim) -> None:
    """Another process has taken the message over."""
    clock.step(LEASE_OVER)
    take(ledger, clock())
    with pytest.raises(ClaimLostError, match="another process has taken this message over"):
        confirm(claim, ledger, clock)
