"""One round of deliveries: one attempt at each message that is due, every sink in a thread of its own."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

from mastodon_update_check.core.outbox import Outcome
from mastodon_update_check.jobs.deliver import Courier


def deliver_round(couriers: Sequence[Courier], due_by: datetime) -> int:
    """Make one attempt at every message that was due at `due_by`; return how many were accepted.

    Raises:
        LedgerError: the ledger cannot be used; the other sinks have had their turn.
    """
    if not couriers:
        return 0
    with ThreadPoolExecutor(len(couriers), thread_name_prefix="delivery") as pool:
        rounds = [pool.submit(_deliver_due, courier, due_by) for courier in couriers]
    return sum(one.result() for one in rounds)


def _deliver_due(courier: Courier, due_by: datetime) -> int:
    sent = 0
    with courier.open_ledger() as ledger:
        try:
            # A message that fails is due again later than `due_by`: it is not tried twice in this round.
            while (outcome := courier.deliver_next(ledger, due_by)) is not None:
                sent += outcome is Outcome.SENT
        finally:
            courier.close()
    return sent
