"""The outbox: the notices to deliver, and the consequences of an attempt."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from mastodon_update_check.domain.notices import Notice
from mastodon_update_check.domain.recipients import Reason
from mastodon_update_check.domain.text import clean
from mastodon_update_check.errors import DeliveryError, PermanentDeliveryError, TransientDeliveryError

DELAYS = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    *(timedelta(hours=hours) for hours in (2, 5, 10, 14, 20, 24)),
)
"""Waits after the first, second … failure of Standard Webhooks 1.0.0; the last one repeats for as long as it takes."""
REFUSED_DELAY = timedelta(days=7)
"""Wait after a permanent refusal, unless the address, the URL or the sink's settings change before."""
RETRY_AFTER_LIMIT = timedelta(hours=24)
SPREAD = 0.2
"""Each wait is drawn from a tenth below to a tenth above."""
LONGEST_WAIT = REFUSED_DELAY * (1 + SPREAD)
"""A due time further ahead than this was written by a clock that was wrong: it counts as due."""
MAILS_A_DAY = 6


class DeliveryState(StrEnum):
    """Where one notice for one recipient stands."""

    PENDING = "pending"
    SENT = "sent"
    FAILED = "failed"
    CANCELLED = "cancelled"
    SUPERSEDED = "superseded"

    @property
    def is_notified(self) -> bool:
        """Return whether nothing is to be planned for it: sent, or waiting to be."""
        return self in {DeliveryState.PENDING, DeliveryState.SENT, DeliveryState.FAILED}


class Outcome(StrEnum):
    """The outcome of one attempt."""

    SENT = "sent"
    DEFERRED = "deferred"
    FAILED = "failed"
    UNKNOWN = "unknown"
    """It may have been accepted: the process ended in the middle, or the reply was lost."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A row that is cancelled, or superseded by another, and why."""

    identity: str
    recipient_key: str
    reason: Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One notice for one recipient, as the ledger holds it."""

    identity: str
    notice: Notice
    recipient_key: str
    address: str
    """The address that the message goes, or went, to; empty for sinks without addresses."""
    sink: str
    state: DeliveryState
    message_id: str
    notified_at: datetime | None = None
    """When it was accepted; None before, and for a row that was marked as sent without being sent."""
    is_being_sent: bool = False
    """Whether the message is being sent at this moment: nothing is changed about it then."""
    tried_address: str = ""
    """The address of the last attempt; empty before the first, and for sinks without addresses."""
    may_have_arrived: bool = False
    """Whether an attempt carried it that is not known to have failed: the reply may have been lost."""
    is_stopped: bool = False
    """Whether the receiver asked never to be tried again (HTTP 410)."""

    @property
    def is_open(self) -> bool:
        """Return whether it can still be cancelled, superseded or hurried."""
        return self.state in {DeliveryState.PENDING, DeliveryState.FAILED} and not self.is_being_sent

    def change(self, reason: Reason) -> Change:
        """Return the change that cancels or supersedes it."""
        return Change(identity=self.identity, recipient_key=self.recipient_key, reason=reason)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """The consequence of an attempt for its message and its sink."""

    outcome: Outcome
    reply: str
    due_at: datetime | None
    """When to try again; None for never: it was accepted, or the receiver is gone permanently."""
    sink_retry_at: datetime | None = None
    stops_sink: bool = False


def retry_delay(failures: int, spread: float) -> timedelta:
    """Return how long to wait after the given number of failures in a row; `spread` is a random number from 0 to 1."""
    return DELAYS[min(failures, len(DELAYS)) - 1] * _spread(spread)


def settle(
    error: DeliveryError | None, reply: str, *, failures: int, sink_failures: int, now: datetime, spread: float
) -> Settlement:
    """Decide what follows from an attempt, with an `error` or accepted; failures are those in a row before it."""
    if error is None:
        return Settlement(outcome=Outcome.SENT, reply=reply, due_at=None)
    if isinstance(error, PermanentDeliveryError):
        due_at = None if error.sink_wide else now + REFUSED_DELAY * _spread(spread)
        return Settlement(outcome=Outcome.FAILED, reply=clean(error.reply), due_at=due_at, stops_sink=error.sink_wide)
    counted = sink_failures if error.sink_wide else failures
    asked = error.retry_after if isinstance(error, TransientDeliveryError) else None
    may_have_arrived = isinstance(error, TransientDeliveryError) and error.may_have_arrived
    # A sink of another package may have given a number: that asks for nothing.
    wanted = min(asked, RETRY_AFTER_LIMIT) if isinstance(asked, timedelta) else timedelta()
    wait = max(retry_delay(counted + 1, spread), wanted)
    due_at = now + wait
    return Settlement(
        outcome=Outcome.UNKNOWN if may_have_arrived else Outcome.DEFERRED,
        reply=clean(error.reply),
        due_at=due_at,
        sink_retry_at=due_at if error.sink_wide else None,
    )


def _spread(spread: float) -> float:
    return 1 + SPREAD * (spread - 0.5)
