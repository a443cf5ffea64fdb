"""One attempt: claimed, composed, handed over, recorded; what each kind of failure leads to."""

import sqlite3
import threading
from asyncio import CancelledError
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from captured_logs import capture_logs
from jobs.examples import PATIENCE_SECONDS, Accepting, Acting, Hanging, Raising, courier, deliver_next, make_context
from ledger.examples import (
    ALICE,
    BOB,
    DAY,
    INSTANCE,
    LEASE_OVER,
    NOW,
    SettableClock,
    facts,
    find_claim,
    replan,
    states,
    take,
    update,
)
from ledger.places import query
from mastodon_update_check.domain.outbox import DeliveryState, Outcome
from mastodon_update_check.errors import (
    DeliveryError,
    LedgerError,
    PermanentDeliveryError,
    SettingsError,
    TransientDeliveryError,
)
from mastodon_update_check.jobs.deliver import ATTEMPT_LIMIT
from mastodon_update_check.jobs.operations import Operations
from mastodon_update_check.ledger.ledger import Ledger
from mastodon_update_check.messages.context import MessageContext
from mastodon_update_check.messages.message import Message

PATCH = update("4.5.1")
ROW = ("user:1", "update/4.5.1/plain")


def attempts(path: Path) -> list[tuple[object, ...]]:
    """Return outcome and reply of every attempt."""
    return query(path, "SELECT outcome, reply FROM attempt ORDER BY number")


@pytest.fixture
def holder(ledger: Ledger, path: Path) -> Iterator[sqlite3.Connection]:
    """Return somebody else's connection, which can keep everybody from writing."""
    del ledger
    with closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as connection:
        yield connection


def test_nothing_to_do(ledger: Ledger, path: Path, clock: SettableClock) -> None:
    """A sink that has nothing to send is not even loaded."""
    messenger = courier(path, Accepting(), clock, load_sink=lambda: pytest.fail("loaded"))
    messenger.close()

    assert deliver_next(messenger, ledger, NOW) is None


def test_an_accepted_message(ledger: Ledger, path: Path, clock: SettableClock) -> None:
    """It is composed from its rows, under the id that was planned, and recorded with the other side's reply."""
    stored = replan(ledger, facts(PATCH))
    sink = Accepting()
    messenger = courier(path, sink, clock)
    with capture_logs() as logs:
        assert deliver_next(messenger, ledger, NOW) is Outcome.SENT
    (message,) = sink.messages
    messenger.close()

    assert (stored.messages[0].id, ALICE, INSTANCE, NOW) == (
        message.id,
        message.recipient,
        message.instance,
        message.created_at,
    )
    assert "4.5.1" in message.subject
    assert [("sent", "250 ok")] == attempts(path)
    assert {ROW: DeliveryState.SENT} == states(ledger, PATCH)
    assert deliver_next(messenger, ledger, NOW + DAY) is None
    assert messenger.claim is None
    assert 1 == sink.closed
    sent = {"sink": "email", "to": "alice", "message_id": message.id, "attempt": 1, "reply": "250 ok"}
    assert [{"event": "delivery.sent", "log_level": "info", **sent}] == logs


SOON = timedelta(seconds=5)


class Speechless(Exception):  # noqa: N818 - as somebody might name it
    """Breaks when it is asked what it says."""

    def __str__(self) -> str:
        raise ValueError("no words")


ERRORS: list[tuple[str, BaseException, str, timedelta]] = [
    ("may pass", TransientDeliveryError("busy"), "busy", SOON),
    ("asks to wait", TransientDeliveryError("slow", retry_after=timedelta(hours=2)), "slow", timedelta(hours=2)),
    ("of neither kind", DeliveryError("odd"), "odd", SOON),
    ("settings that are wrong", SettingsError(["no URL"]), "no URL", SOON),
    ("a bug", KeyError("x\n"), "the sink broke: KeyError: 'x\\n'", SOON),
    ("a bug that cannot be said", Speechless(), "the sink broke: Speechless:", SOON),
    ("a way out of the program", SystemExit(3), "the sink broke: SystemExit: 3", SOON),
    (
        "a task of its own that was cancelled",
        CancelledError("no loop"),
        "the sink broke: CancelledError: no loop",
        SOON,
    ),
    ("asks to wait for a number", TransientDeliveryError("slow", retry_after=7200), "slow", SOON),  # type: ignore[arg-type]  # what somebody's sink may do
    ("gives no text", DeliveryError(b"no"), "b'no'", SOON),  # type: ignore[arg-type]  # what somebody's sink may do
    ("a refusal", PermanentDeliveryError("no such user"), "no such user", 7 * DAY),
]


@pytest.mark.parametrize(("sentence", "error", "reply", "wait"), ERRORS, ids=[row[0] for row in ERRORS])
def test_a_message_that_is_not_accepted(
    tmp_path: Path, sentence: str, error: BaseException, reply: str, wait: timedelta
) -> None:
    """Recorded with its reason, put off by a tenth more or less than the table says, and not tried in this round."""
    del sentence
    path, clock = tmp_path / "ledger.sqlite3", SettableClock()
    is_refusal = isinstance(error, PermanentDeliveryError)
    messenger = courier(path, Raising(error), clock)
    with Ledger.create(path) as ledger:
        replan(ledger, facts(PATCH))
        outcome = deliver_next(messenger, ledger, NOW)
        due_at = ledger.next_due_at(INSTANCE, "email", NOW)

        assert (Outcome.FAILED if is_refusal else Outcome.DEFERRED) is outcome
        assert {ROW: DeliveryState.FAILED if is_refusal else DeliveryState.PENDING} == states(ledger, PATCH)
        assert [(str(outcome), reply)] == attempts(path)
        assert due_at is not None
        assert wait * 0.9 <= due_at - NOW <= wait * 1.1
        assert deliver_next(messenger, ledger, NOW) is None


def test_a_receiver_that_is_gone(ledger: Ledger, path: Path, clock: SettableClock) -> None:
    """It is said at once that there will be no further attempt."""
    replan(ledger, facts(PATCH))
    messenger = courier(path, Raising(PermanentDeliveryError("gone", sink_wide=True)), clock)
    with capture_logs() as logs:
        assert deliver_next(messenger, ledger, NOW) is Outcome.FAILED

    assert [("delivery.failed", "error", None)] == [
        (line["event"], line["log_level"], line["next_at"]) for line in logs
    ]
    assert find_claim(ledger, NOW + 30 * DAY) is None


def test_a_sink_that_cannot_be_loaded(ledger: Ledger, path: Path, clock: SettableClock) -> None:
    """Its messages are put off with the reason, and it is loaded anew at the next attempt."""
    replan(ledger, facts(PATCH))
    sink = Accepting()
    answers = iter([SettingsError(["its package is missing"]), None])

    def load() -> Accepting:
        error = next(answers)
        if error is not None:
            raise error
        return sink

    messenger = courier(path, sink, clock, load_sink=load)
    assert deliver_next(messenger, ledger, NOW) is Outcome.DEFERRED
    clock.step(DAY)

    assert deliver_next(messenger, ledger, clock()) is Outcome.SENT
    assert [("deferred", "its package is missing"), ("sent", "250 ok")] == attempts(path)


def test_a_message_that_cannot_be_composed_blocks_no_other(ledger: Ledger, path: Path, clock: SettableClock) -> None:
    """A bug in our own words is put off like a failure, and said."""
    replan(ledger, facts(PATCH))
    replan(ledger, facts(PATCH, to=(ALICE, BOB), now=NOW + timedelta(seconds=1)))
    sink = Accepting()
    broken = iter([True, False])

    def describe(ledger: Ledger) -> MessageContext:
        if next(broken):
            raise IndexError("no such word")
        return make_context(ledger)

    messenger = courier(path, sink, clock, describe=describe)
    due_by = NOW + timedelta(seconds=1)
    assert [Outcome.DEFERRED, Outcome.SENT, None] == [deliver_next(messenger, ledger, due_by) for _ in range(3)]

    assert [BOB] == [message.recipient for message in sink.messages]
    assert ("deferred", "the message could not be written: IndexError: no such word") in attempts(path)


def test_a_reply_that_is_no_text(ledger: Ledger, path: Path, clock: SettableClock) -> None:
    """A sink that returns has delivered, whatever it returns."""
    replan(ledger, facts(PATCH))

    class Odd(Accepting):
        def send(self, message: Message) -> str | None:
            del message
            return 250  # type: ignore[return-value]  # what somebody's sink may do

    assert deliver_next(courier(path, Odd(), clock), ledger, NOW) is Outcome.SENT
    assert [("sent", "")] == attempts(path)


def test_a_hanging_sink_keeps_its_claim_in_sight(ledger: Ledger, path: Path, clock: SettableClock) -> None:
    """Whoever has to stop it can give the message back; what comes later is recorded all the same."""
    replan(ledger, facts(PATCH))
    sink = Hanging()
    messenger = courier(path, sink, clock)
    outcomes: list[Outcome | None] = []

    def work() -> None:
        with Ledger.open(path) as own:
            outcomes.append(deliver_next(messenger, own, NOW))

    thread = threading.Thread(target=work)
    thread.start()
    assert sink.has_begun.wait(PATIENCE_SECONDS)
    in_hand = messenger.claim
    assert in_hand is not None
    assert () == messenger.operations.overdue()
    ledger.release(in_hand, NOW)
    assert [("unknown", "")] == attempts(path)
    sink.may_end.set()
    thread.join(PATIENCE_SECONDS)

    assert [Outcome.SENT] == outcomes
    assert messenger.operations.is_idle
    assert {ROW: DeliveryState.SENT} == states(ledger, PATCH)
    assert find_claim(ledger, NOW + DAY) is None


def test_a_claim_that_is_lost_before_the_hand_over(ledger: Ledger, path: Path, clock: SettableClock) -> None:
    """Nothing is handed over and nothing recorded: it is somebody else's now."""
    replan(ledger, facts(PATCH))

    def lose() -> None:
        clock.step(LEASE_OVER)
        with Ledger.open(path) as other:
            take(other, clock())

    sink = Acting(lose)
    with capture_logs() as logs:
        assert deliver_next(courier(path, sink, clock), ledger, NOW) is Outcome.UNKNOWN

    assert [] == sink.messages
    assert ["delivery.lost"] == [line["event"] for line in logs]
    assert [("unknown", ""), (None, "")] == attempts(path)


def test_a_claim_that_is_lost_before_the_sink_is_asked(ledger: Ledger, path: Path, clock: SettableClock) -> None:
    """Composing took so long that somebody else has it."""
    replan(ledger, facts(PATCH))
    sink = Accepting()

    def describe(ledger: Ledger) -> MessageContext:
        clock.step(LEASE_OVER)
        take(ledger, clock())
        return make_context(ledger)

    messenger = courier(path, sink, clock, describe=describe)

    assert deliver_next(messenger, ledger, NOW) is Outcome.UNKNOWN
    assert [] == sink.messages


def test_a_sink_that_takes_its_time_still_holds_its_claim(ledger: Ledger, path: Path, clock: SettableClock) -> None:
    """A confirmation is good while nobody else has taken the message, and extends the lease."""
    replan(ledger, facts(PATCH))
    sink = Acting(lambda: clock.step(LEASE_OVER))

    assert deliver_next(courier(path, sink, clock), ledger, NOW) is Outcome.SENT
    assert 1 == len(sink.messages)


def test_a_ledger_that_fails_before_the_claim(
    ledger: Ledger, path: Path, clock: SettableClock, holder: sqlite3.Connection
) -> None:
    """What cannot be recorded is not sent."""
    replan(ledger, facts(PATCH))
    sink = Accepting()
    holder.execute("BEGIN IMMEDIATE")
    with pytest.raises(LedgerError):
        deliver_next(courier(path, sink, clock), ledger, NOW)
    holder.execute("ROLLBACK")

    assert [] == sink.messages
    assert [] == attempts(path)


def test_a_ledger_that_fails_before_the_hand_over(
    ledger: Ledger, path: Path, clock: SettableClock, holder: sqlite3.Connection
) -> None:
    """The claim can be confirmed no more: nothing is sent, and the message is free when the lease is over."""
    replan(ledger, facts(PATCH))
    sink = Accepting()

    def describe(ledger: Ledger) -> MessageContext:
        clock.step(timedelta(seconds=1))  # until then the claim itself has shown that the ledger can be written
        holder.execute("BEGIN IMMEDIATE")
        return make_context(ledger)

    messenger = courier(path, sink, clock, describe=describe)
    with pytest.raises(LedgerError):
        deliver_next(messenger, ledger, NOW)
    holder.execute("ROLLBACK")

    assert messenger.claim is None
    assert [] == sink.messages
    assert 2 == take(ledger, NOW + LEASE_OVER).attempt


class Locking(Accepting):
    """Takes the message; from then on nobody else can write."""

    def __init__(self, holder: sqlite3.Connection) -> None:
        super().__init__()
        self.holder = holder

    def send(self, message: Message) -> str | None:
        self.holder.execute("BEGIN IMMEDIATE")
        return super().send(message)


def test_an_acceptance_that_cannot_be_recorded_is_not_forgotten(
    ledger: Ledger, path: Path, clock: SettableClock, holder: sqlite3.Connection
) -> None:
    """Once the ledger works again, it is recorded before anything else is done; nothing is sent twice."""
    replan(ledger, facts(PATCH))
    sink = Locking(holder)
    messenger = courier(path, sink, clock)
    assert messenger.longest_sleep == messenger.pause
    with pytest.raises(LedgerError):
        deliver_next(messenger, ledger, NOW)
    assert messenger.record_patience == messenger.pause  # a moment: before others send it again
    clock.step(LEASE_OVER)
    with pytest.raises(LedgerError):
        deliver_next(messenger, ledger, clock())
    assert {ROW: DeliveryState.PENDING} == states(ledger, PATCH)
    holder.execute("ROLLBACK")

    assert [None, None] == [deliver_next(messenger, ledger, clock()) for _ in range(2)]
    assert messenger.longest_sleep == messenger.pause
    assert 1 == len(sink.messages)
    assert {ROW: DeliveryState.SENT} == states(ledger, PATCH)
    assert [("sent", "250 ok")] == attempts(path)


def test_an_acceptance_waits_for_a_busy_ledger(
    ledger: Ledger, path: Path, clock: SettableClock, holder: sqlite3.Connection
) -> None:
    """Somebody else writes for a while: recording is tried again within the attempt."""
    replan(ledger, facts(PATCH))
    release = threading.Timer(0.2, lambda: holder.execute("ROLLBACK"))

    class Busy(Locking):
        def send(self, message: Message) -> str | None:
            release.start()
            return super().send(message)

    messenger = courier(path, Busy(holder), clock, record_patience=timedelta(seconds=1))
    outcome = deliver_next(messenger, ledger, NOW)
    release.join()

    assert outcome is Outcome.SENT
    assert {ROW: DeliveryState.SENT} == states(ledger, PATCH)


def test_a_failure_that_cannot_be_recorded_is_tried_again(
    ledger: Ledger, path: Path, clock: SettableClock, holder: sqlite3.Connection
) -> None:
    """Nothing was told: when the lease is over the message is simply due."""
    replan(ledger, facts(PATCH))

    class Failing(Locking):
        def send(self, message: Message) -> str | None:
            super().send(message)
            raise TransientDeliveryError("busy")

    messenger = courier(path, Failing(holder), clock)
    with pytest.raises(LedgerError):
        deliver_next(messenger, ledger, NOW)
    holder.execute("ROLLBACK")
    clock.step(LEASE_OVER)

    assert deliver_next(messenger, ledger, NOW - DAY) is None
    assert [(None, "")] == attempts(path)
    assert 2 == take(ledger, clock()).attempt


LIMITS: list[tuple[str, object, timedelta]] = [
    ("a quick sink", timedelta(seconds=30), timedelta(seconds=30)),
    ("one that asks for too much", timedelta(days=1), ATTEMPT_LIMIT),
    ("one that says nothing", None, ATTEMPT_LIMIT),
    ("one that is mistaken", 30, ATTEMPT_LIMIT),
]


@pytest.mark.parametrize(("sentence", "asked", "expected"), LIMITS, ids=[row[0] for row in LIMITS])
def test_how_long_an_attempt_may_take(
    ledger: Ledger, path: Path, clock: SettableClock, sentence: str, asked: object, expected: timedelta
) -> None:
    """The sink may say less than our own bound."""
    del sentence
    replan(ledger, facts(PATCH))
    sink = Accepting()
    sink.attempt_limit = asked
    limits: list[timedelta] = []

    class Watching(Operations):
        @contextmanager
        def running(self, name: str, limit: timedelta) -> Iterator[Callable[[], None]]:
            assert name == "delivery by email"
            limits.append(limit)
            with super().running(name, limit) as renew:
                yield renew

    messenger = courier(path, sink, clock)
    messenger.operations = Watching()
    messenger.load()
    deliver_next(messenger, ledger, NOW)

    assert [expected] == limits
