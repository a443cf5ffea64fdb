"""One round of deliveries: one attempt at each message that is due, every sink in a thread of its own."""

from collections.abc import Sequence
from concurrent.futures import Future
from datetime import datetime
from threading import Thread

from mastodon_update_check.domain.outbox import Outcome
from mastodon_update_check.jobs.deliver import Courier
from mastodon_update_check.logs import log


def deliver_round(couriers: Sequence[Courier], due_by: datetime) -> int:
    """Make one attempt at every message that was due at `due_by`; return how many were accepted.

    Raises:
        LedgerError: the ledger cannot be used; the other sinks have had their turn.
    """
    rounds = [_begin(courier, due_by) for courier in couriers]
    for one in rounds:
        one.exception()  # waits for its end
    return sum(one.result() for one in rounds)


def _begin(courier: Courier, due_by: datetime) -> Future[int]:
    """Start a thread that an interrupt from the keyboard need not wait for, as it would for a pool's."""
    round_: Future[int] = Future()

    def deliver() -> None:
        try:
            round_.set_result(_deliver_due(courier, due_by))
        except BaseException as error:  # noqa: BLE001 - it is raised again where the result is asked for
            round_.set_exception(error)

    Thread(target=deliver, name=f"delivery by {courier.sink_name}", daemon=True).start()
    return round_


def _deliver_due(courier: Courier, due_by: datetime) -> int:
    with courier.open_ledger() as ledger:
        try:
            # A message that fails is due again later than `due_by`: it is not tried twice in this round.
            outcomes = courier.deliver_due(ledger, lambda: due_by, lambda: True)
        finally:
            _close(courier)
    return outcomes.count(Outcome.SENT)


def _close(courier: Courier) -> None:
    """Let the sink end its connection; one that cannot has delivered all the same."""
    try:
        courier.close()
    except Exception as error:  # noqa: BLE001 - a bug in one sink must not hide what the others did
        log.critical("delivery.crashed", sink=courier.sink_name, detail=f"close(): {type(error).__name__}: {error}")
