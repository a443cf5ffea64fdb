"""The consequences of an attempt: when to retry, and what backs off."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.examples import NOW, cases, patch, user
from domain.rows import delivery
from mastodon_update_check.domain.outbox import (
    LONGEST_WAIT,
    DeliveryState,
    Outcome,
    Settlement,
    retry_delay,
    settle,
)
from mastodon_update_check.errors import DeliveryError, PermanentDeliveryError, TransientDeliveryError

MIDDLE = 0.5
"""The spread that changes nothing."""
LADDER = (
    *(timedelta(seconds=5), timedelta(minutes=5), timedelta(minutes=30), timedelta(hours=2), timedelta(hours=5)),
    *(timedelta(hours=10), timedelta(hours=14), timedelta(hours=20), timedelta(days=1)),
)
TRANSIENT = TransientDeliveryError("421 try later")


def settled(
    error: DeliveryError | None, failures: int = 0, sink_failures: int = 0, spread: float = MIDDLE
) -> Settlement:
    """Settle an attempt that ended now."""
    return settle(error, "250 ok", failures=failures, sink_failures=sink_failures, now=NOW, spread=spread)


def test_acceptance_ends_it() -> None:
    """An accepted message is never retried; the reply is kept."""
    assert settled(None, 5, 5) == Settlement(outcome=Outcome.SENT, reply="250 ok", due_at=None)


@pytest.mark.parametrize(
    ("failures", "delay"),
    [*enumerate(LADDER), (9, timedelta(days=1)), (10, timedelta(days=1)), (10_000, timedelta(days=1))],
)
def test_ladder(failures: int, delay: timedelta) -> None:
    """5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h, 20 h, 24 h, then daily for as long as it takes."""
    expected = Settlement(outcome=Outcome.DEFERRED, reply="421 try later", due_at=NOW + delay)
    assert settled(TRANSIENT, failures, sink_failures=3) == expected


@pytest.mark.parametrize(("spread", "factor"), [(0.0, 0.9), (0.25, 0.95), (0.5, 1.0), (1.0, 1.1)])
def test_spread(spread: float, factor: float) -> None:
    """Each wait lies between a tenth below and a tenth above."""
    assert timedelta(minutes=5) * factor == retry_delay(2, spread)
    assert NOW + timedelta(days=7) * factor == settled(PermanentDeliveryError("550"), spread=spread).due_at


@cases(
    "asked wait",
    ("nothing asked: the ladder", None, timedelta(minutes=5)),
    ("longer than the ladder is honoured", timedelta(minutes=20), timedelta(minutes=20)),
    ("shorter than the ladder is not", timedelta(seconds=1), timedelta(minutes=5)),
    ("at once is not", timedelta(), timedelta(minutes=5)),
    ("the past is not", timedelta(days=-3), timedelta(minutes=5)),
    ("24 hours are the longest", timedelta(hours=24), timedelta(hours=24)),
    ("a huge wait is cut to 24 hours", timedelta(days=400), timedelta(hours=24)),
    ("the longest there can be, too", timedelta.max, timedelta(hours=24)),
    ("and the shortest", timedelta.min, timedelta(minutes=5)),
)
def test_retry_after(asked: timedelta | None, wait: timedelta) -> None:
    """`Retry-After` is honoured up to 24 hours, and never shortens a wait."""
    assert NOW + wait == settled(TransientDeliveryError("503", retry_after=asked), failures=1).due_at


def test_sink_that_fails_backs_off_as_a_whole() -> None:
    """A fault of the sink counts on the sink's own ladder, and stops its other messages meanwhile."""
    error = TransientDeliveryError("535 authentication failed", sink_wide=True)
    due_at = NOW + LADDER[3]
    assert settled(error, failures=0, sink_failures=3) == Settlement(
        outcome=Outcome.DEFERRED, reply="535 authentication failed", due_at=due_at, sink_retry_at=due_at
    )


def test_message_that_may_have_arrived() -> None:
    """A message that was sent without a reply is sent again like a deferred one, and recorded as unknown."""
    error = TransientDeliveryError("421 try later", may_have_arrived=True)
    assert settled(error) == replace(settled(TRANSIENT), outcome=Outcome.UNKNOWN)


def test_sink_that_asks_for_time() -> None:
    """A sink-wide `Retry-After` holds for the sink, too."""
    error = TransientDeliveryError("429", sink_wide=True, retry_after=timedelta(hours=3))
    settlement = settled(error)
    assert (NOW + timedelta(hours=3),) * 2 == (settlement.due_at, settlement.sink_retry_at)


def test_refusal_waits_a_week() -> None:
    """A refused message is retried weekly; the sink does not back off."""
    expected = Settlement(outcome=Outcome.FAILED, reply="550 no such user", due_at=NOW + timedelta(days=7))
    assert settled(PermanentDeliveryError("550 no such user"), failures=4, sink_failures=4) == expected


def test_gone_is_gone() -> None:
    """HTTP 410 stops the webhook: it is never due again by itself."""
    expected = Settlement(outcome=Outcome.FAILED, reply="410 Gone", due_at=None, stops_sink=True)
    assert settled(PermanentDeliveryError("410 Gone", sink_wide=True)) == expected


@pytest.mark.parametrize("error", [TransientDeliveryError, PermanentDeliveryError])
def test_replies_are_cleaned(error: type[DeliveryError]) -> None:
    """The reply is kept on one line, bounded."""
    assert settled(error("550\r\n\x1b[2J no")).reply == "550 [2J no"
    assert len(settled(error("x" * 5000)).reply) == 200


@given(
    st.builds(TransientDeliveryError, st.text(), sink_wide=st.booleans(), retry_after=st.none() | st.timedeltas())
    | st.builds(PermanentDeliveryError, st.text(), sink_wide=st.booleans()),
    st.integers(0, 10**6),
    st.integers(0, 10**6),
    st.floats(0, 1),
)
def test_every_failure_is_retried_in_time(error: DeliveryError, failures: int, sink: int, spread: float) -> None:
    """Nothing ends by age alone: all but a 410 is due again, later than now and within the longest wait."""
    settlement = settled(error, failures, sink, spread)
    if settlement.stops_sink:
        assert (settlement.due_at, error.sink_wide) == (None, True)
        return
    assert settlement.due_at is not None
    assert NOW + LADDER[0] * 0.9 <= settlement.due_at <= NOW + LONGEST_WAIT
    assert settlement.sink_retry_at in {None, settlement.due_at}


@cases(
    "state is_notified is_open",
    (DeliveryState.PENDING, True, True),
    (DeliveryState.FAILED, True, True),
    (DeliveryState.SENT, True, False),
    (DeliveryState.CANCELLED, False, False),
    (DeliveryState.SUPERSEDED, False, False),
)
def test_states(state: DeliveryState, *, is_notified: bool, is_open: bool) -> None:
    """A sent or waiting row counts as notified; a waiting one is open."""
    row = delivery(patch("4.5.20"), user(), state)
    assert (row.state.is_notified, row.is_open) == (is_notified, is_open)
