"""Keeping a claim alive while its message is being sent, and a turn while a check is under way."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from types import TracebackType
from typing import Self

from mastodon_update_check.domain.outbox import LEASE, LEASE_RENEWAL
from mastodon_update_check.errors import ClaimLostError, LedgerError
from mastodon_update_check.jobs.clock import Clock
from mastodon_update_check.ledger.claims import Claim
from mastodon_update_check.ledger.ledger import Ledger
from mastodon_update_check.ledger.nodes import Turn

LOST = "another process has taken this message over"


class LeaseKeeper:
    """Renews the lease of the claim in hand every 3 s, from one thread for one message after the other.

    The thread begins with the first claim and ends with the block; between its turns it holds nothing.
    """

    def __init__(
        self, name: str, open_ledger: Callable[[], Ledger], clock: Clock, every: timedelta = LEASE_RENEWAL
    ) -> None:
        self._seconds = every.total_seconds()
        self._open_ledger = open_ledger
        self._clock = clock
        self._claim: Claim | None = None
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._keep, name=f"leases of {name}", daemon=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._is_over.set()
        if self._thread.ident is not None:
            self._thread.join()

    @contextmanager
    def keeping(self, claim: Claim) -> Iterator[None]:
        """Keep this claim alive for the duration of the block, or until it is lost."""
        self._claim = claim
        if self._thread.ident is None:
            self._thread.start()
        try:
            yield
        finally:
            self._claim = None

    def _keep(self) -> None:
        lost: Claim | None = None
        while not self._is_over.wait(self._seconds):
            claim = self._claim
            if claim is None or claim is lost:
                continue
            # A ledger that is busy or full for a moment may work at the next turn, before the lease runs out.
            with suppress(LedgerError):
                if not self._renew(claim):
                    lost = claim

    def _renew(self, claim: Claim) -> bool:
        with self._open_ledger() as ledger:
            return ledger.renew(claim, self._clock())


@contextmanager
def keeping_turn(turn: Turn, open_ledger: Callable[[], Ledger], clock: Clock) -> Iterator[None]:
    """Keep the turn to check for the duration of the block, or until it is lost."""
    is_over = threading.Event()

    def keep() -> None:
        stands = True
        while stands and not is_over.wait(LEASE_RENEWAL.total_seconds()):
            with suppress(LedgerError), open_ledger() as ledger:
                stands = ledger.keep_turn(turn, clock() + LEASE, checking=True)

    thread = threading.Thread(target=keep, name="turn to check", daemon=True)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()


def confirm(claim: Claim, ledger: Ledger, clock: Clock) -> None:
    """Make sure that the claim still stands, with a lease that has just begun.

    Raises:
        ClaimLostError: it does not.
    """
    if not ledger.confirm(claim, clock()):
        raise ClaimLostError(LOST)
