"""Keeping a claim alive while its message is being sent."""

import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from types import TracebackType
from typing import Self

from mastodon_update_check.core.outbox import LEASE_RENEWAL
from mastodon_update_check.errors import ClaimLostError, LedgerError
from mastodon_update_check.jobs.clock import Clock
from mastodon_update_check.ledger.claims import Claim
from mastodon_update_check.ledger.ledger import Ledger

LOST = "another process has taken this message over"


class LeaseKeeper:
    """Renews a claim's lease from a thread of its own, every 3 s, until the block ends or the claim is lost."""

    def __init__(
        self, claim: Claim, open_ledger: Callable[[], Ledger], clock: Clock, every: timedelta = LEASE_RENEWAL
    ) -> None:
        self._claim = claim
        self._seconds = every.total_seconds()
        self._open_ledger = open_ledger
        self._clock = clock
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._keep, name=f"lease of {claim.message_id}", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._is_over.set()
        self._thread.join()

    def _keep(self) -> None:
        while not self._is_over.wait(self._seconds):
            # A ledger that is busy or full for a moment may work at the next turn, before the lease runs out.
            with suppress(LedgerError):
                if not self._renew():
                    return

    def _renew(self) -> bool:
        with self._open_ledger() as ledger:
            return ledger.renew(self._claim, self._clock())


def confirm(claim: Claim, ledger: Ledger, clock: Clock) -> None:
    """Make sure, and write down, that the claim still stands.

    Raises:
        ClaimLostError: it does not.
    """
    if not ledger.renew(claim, clock()):
        raise ClaimLostError(LOST)
