"""Steps of the processes that use a ledger: plan, begin an attempt, record its result."""

from collections.abc import Iterable
from datetime import datetime

from ledger.examples import NOW, SETTINGS, facts
from mastodon_update_check.domain.notices import UpdateNotice
from mastodon_update_check.domain.outbox import Delivery, DeliveryState, Settlement, settle
from mastodon_update_check.domain.planning.facts import Facts
from mastodon_update_check.domain.planning.plan import Plan, plan, subjects
from mastodon_update_check.errors import DeliveryError, PermanentDeliveryError, TransientDeliveryError
from mastodon_update_check.ledger import processes
from mastodon_update_check.ledger.attempts import Attempt
from mastodon_update_check.ledger.ledger import Ledger


def record_heartbeat(ledger: Ledger, host: str, now: datetime = NOW) -> None:
    """Record the heartbeat of the daemon on a host, as any node may."""
    with ledger.recording() as transaction:
        processes.record_heartbeat(transaction, host, now)


def leave(ledger: Ledger, host: str) -> None:
    """Remove the daemon on a host."""
    with ledger.recording() as transaction:
        processes.leave(transaction, host)


def replan(ledger: Ledger, known: Facts) -> Plan:
    """Plan and store the plan, as a check does."""
    with ledger.writing() as transaction:
        about = subjects(known) | transaction.unclosed_subjects(known.closure)
        decided = plan(known, transaction.deliveries(about))
        transaction.apply(decided)
    return decided


def start_deliveries(ledger: Ledger, now: datetime, settings: str = SETTINGS) -> None:
    """Make messages due whose sinks have other settings now, as a process that delivers does first."""
    with ledger.writing() as transaction:
        transaction.hurry_changed({"email": settings, "webhook": settings}, now)


def find_attempt(
    ledger: Ledger,
    now: datetime = NOW,
    *,
    sink: str = "email",
    settings: str = SETTINGS,
    due_by: datetime | None = None,
) -> Attempt | None:
    """Begin an attempt at the next message, if there is one."""
    return ledger.begin_attempt(sink, settings, now, due_by or now)


def take(ledger: Ledger, now: datetime = NOW, *, sink: str = "email", settings: str = SETTINGS) -> Attempt:
    """Begin an attempt at the next message; there must be one."""
    attempt = find_attempt(ledger, now, sink=sink, settings=settings)
    assert attempt is not None
    return attempt


def judge(attempt: Attempt, error: DeliveryError | None, now: datetime) -> Settlement:
    """Settle an attempt with waits that are exactly those of the table."""
    return settle(
        error, "accepted", failures=attempt.failures, sink_failures=attempt.sink_failures, now=now, spread=0.5
    )


def accept(ledger: Ledger, attempt: Attempt, now: datetime = NOW) -> None:
    """Record that the other side accepted."""
    ledger.record(attempt, judge(attempt, None, now), now)


def defer(ledger: Ledger, attempt: Attempt, now: datetime = NOW, *, sink_wide: bool = False) -> None:
    """Record a transient failure."""
    ledger.record(attempt, judge(attempt, TransientDeliveryError("busy", sink_wide=sink_wide), now), now)


def refuse(ledger: Ledger, attempt: Attempt, now: datetime = NOW, *, sink_wide: bool = False) -> None:
    """Record a permanent refusal."""
    ledger.record(attempt, judge(attempt, PermanentDeliveryError("no such user", sink_wide=sink_wide), now), now)


def rows(ledger: Ledger, *about: str) -> tuple[Delivery, ...]:
    """Return the open rows, and all rows of some subjects."""
    with ledger.reading() as view:
        return view.deliveries(about)


def hurry(
    ledger: Ledger, messages: Iterable[str], sinks: Iterable[str], now: datetime = NOW, *, is_started: bool = False
) -> int:
    """Make messages and sinks due now, as `retry` does."""
    with ledger.writing() as transaction:
        return transaction.hurry(tuple(messages), tuple(sinks), now, is_started=is_started)


def states(ledger: Ledger, *updates: UpdateNotice) -> dict[tuple[str, str], DeliveryState]:
    """Return the state of every row about `updates`, by recipient key and identity."""
    found = rows(ledger, *subjects(facts(*updates)))
    return {(row.recipient_key, row.identity): row.state for row in found}
