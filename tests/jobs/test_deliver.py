"""Attempts: written down, composed, handed over, recorded; what each kind of failure leads to."""

import sqlite3
import threading
import time
from asyncio import CancelledError
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from captured_logs import capture_logs
from jobs.examples import PATIENCE_SECONDS, Accepting, Hanging, Raising, make_context, worker
from ledger.examples import (
    ALICE,
    BOB,
    DAY,
    HOOK,
    INSTANCE,
    NOW,
    SettableClock,
    facts,
    find_attempt,
    replan,
    states,
    take,
    update,
)
from ledger.locations import query
from mastodon_update_check.domain.outbox import DeliveryState
from mastodon_update_check.domain.recipients import Recipient
from mastodon_update_check.errors import (
    DeliveryError,
    LedgerError,
    PermanentDeliveryError,
    SettingsError,
    TransientDeliveryError,
)
from mastodon_update_check.jobs.deliver import ATTEMPT_LIMIT, DeliveryWorker, settle_attempt
from mastodon_update_check.jobs.workers import deliver_round
from mastodon_update_check.ledger.ledger import Ledger
from mastodon_update_check.messages.context import MessageContext
from mastodon_update_check.messages.message import Message

PATCH = update("4.5.1")
ROW = ("user:1", "update/4.5.1/plain")
SOON = timedelta(seconds=5)
CAROL = Recipient(sink="email", key="user:3", address="carol@social.example")


def outcomes(path: Path) -> list[object]:
    """Return the outcome of every attempt, as another process sees it; None for one that is in progress."""
    return [row[0] for row in query(path, "SELECT outcome FROM attempt ORDER BY ended_at IS NULL, ended_at, number")]


def attempts(path: Path) -> list[tuple[object, ...]]:
    """Return outcome and reply of every attempt."""
    return query(path, "SELECT outcome, reply FROM attempt ORDER BY number")


def deliver(deliverer: DeliveryWorker, ledger: Ledger) -> None:
    """Deliver messages that are due at the start."""
    now = deliverer.clock()
    deliverer.deliver_due(ledger, lambda: now)


@pytest.fixture
def holder(ledger: Ledger, path: Path) -> Iterator[sqlite3.Connection]:
    """Return the connection of another program, which can keep others from writing."""
    del ledger
    with closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as connection:
        yield connection


def test_nothing_to_do(ledger: Ledger, path: Path, clock: SettableClock) -> None:
    """A sink that has nothing to send is not even loaded."""
    deliver(worker(path, Accepting(), clock, load_sink=lambda: pytest.fail("loaded")), ledger)

    assert outcomes(path) == []


def test_accepted_message(ledger: Ledger, path: Path, clock: SettableClock) -> None:
    """It is composed from its rows, under the id that was planned, and recorded with the reply."""
    stored = replan(ledger, facts(PATCH))
    sink = Accepting()
    deliverer = worker(path, sink, clock)
    with capture_logs() as logs:
        deliver(deliverer, ledger)
    (message,) = sink.messages

    expected = (stored.messages[0].id, ALICE, INSTANCE, NOW)
    assert (message.id, message.recipient, message.instance, message.created_at) == expected
    assert "4.5.1" in message.subject
    assert attempts(path) == [("sent", "250 ok")]
    assert states(ledger, PATCH) == {ROW: DeliveryState.SENT}
    assert (deliverer.sent, sink.closed, deliverer.current) == (1, 1, None)
    sent = {"sink": "email", "to": "alice", "message_id": message.id, "attempt": 1, "reply": "250 ok"}
    assert logs == [{"event": "delivery.sent", "log_level": "info", **sent}]
    deliver(deliverer, ledger)
    assert len(sink.messages) == 1


class Speechless(Exception):  # noqa: N818 - as another author might name it
    """Breaks when its text is asked for."""

    def __str__(self) -> str:
        raise ValueError("no words")


ERRORS: list[tuple[str, BaseException, str, timedelta]] = [
    ("may pass", TransientDeliveryError("busy"), "busy", SOON),
    ("asks to wait", TransientDeliveryError("slow", retry_after=timedelta(hours=2)), "slow", timedelta(hours=2)),
    ("of neither kind", DeliveryError("odd"), "odd", SOON),
    ("wrong settings", SettingsError(["no URL"]), "no URL", SOON),
    ("a bug", KeyError("x\n"), "the sink broke: KeyError: 'x\\n'", SOON),
    ("a bug without a text", Speechless(), "the sink broke: Speechless:", SOON),
    ("an exit", SystemExit(3), "the sink broke: SystemExit: 3", SOON),
    ("a cancelled task", CancelledError("no loop"), "the sink broke: CancelledError: no loop", SOON),
    ("asks to wait for a number", TransientDeliveryError("slow", retry_after=7200), "slow", SOON),  # type: ignore[arg-type]  # as a plugin may
    ("gives no text", DeliveryError(b"no"), "b'no'", SOON),  # type: ignore[arg-type]  # as a plugin may
    ("a refusal", PermanentDeliveryError("no such user"), "no such user", 7 * DAY),
]


@pytest.mark.parametrize(("error", "reply", "wait"), [row[1:] for row in ERRORS], ids=[row[0] for row in ERRORS])
def test_message_that_is_not_accepted(
    ledger: Ledger, path: Path, clock: SettableClock, error: BaseException, reply: str, wait: timedelta
) -> None:
    """Recorded with its reason, deferred by a tenth more or less than the table says, and not tried in this round."""
    is_refusal = isinstance(error, PermanentDeliveryError)
    replan(ledger, facts(PATCH))
    deliver(worker(path, Raising(error), clock), ledger)
    due_at = ledger.next_due_at("email", NOW)

    assert attempts(path) == [("failed" if is_refusal else "deferred", reply)]
    assert states(ledger, PATCH) == {ROW: DeliveryState.FAILED if is_refusal else DeliveryState.PENDING}
    assert due_at is not None
    assert wait * 0.9 <= due_at - NOW <= wait * 1.1


def test_receiver_that_is_gone(ledger: Ledger, path: Path, clock: SettableClock) -> None:
    """The log says at once that there will be no further attempt."""
    replan(ledger, facts(PATCH))
    with capture_logs() as logs:
        deliver(worker(path, Raising(PermanentDeliveryError("gone", sink_wide=True)), clock), ledger)

    found = [(line["event"], line["log_level"], line["next_at"]) for line in logs]
    assert found == [("delivery.failed", "error", None)]
    assert find_attempt(ledger, NOW + 30 * DAY) is None


def test_sink_that_cannot_be_loaded(ledger: Ledger, path: Path, clock: SettableClock) -> None:
    """Its message is deferred with the reason, and the sink is loaded again at the next attempt."""
    replan(ledger, facts(PATCH))
    answers = iter([SettingsError(["its package is missing"]), None])

    def load() -> Accepting:
        if (error := next(answers)) is not None:
            raise error
        return Accepting()

    deliverer = worker(path, Accepting(), clock, load_sink=load)
    deliver(deliverer, ledger)
    clock.step(DAY)
    deliver(deliverer, ledger)

    assert attempts(path) == [("deferred", "its package is missing"), ("sent", "250 ok")]


def test_message_that_cannot_be_composed_blocks_no_other(ledger: Ledger, path: Path, clock: SettableClock) -> None:
    """A bug in our own code defers the message like a failure, with its reason."""
    replan(ledger, facts(PATCH, to=(ALICE, BOB)))
    sink = Accepting()
    broken = iter([True, False])

    def describe(ledger: Ledger) -> MessageContext:
        if next(broken):
            raise IndexError("no such word")
        return make_context(ledger)

    deliver(worker(path, sink, clock, describe=describe), ledger)

    assert len(sink.messages) == 1
    assert sorted(attempts(path)) == [
        ("deferred", "the message could not be written: IndexError: no such word"),
        ("sent", "250 ok"),
    ]


def test_reply_that_is_not_a_text(ledger: Ledger, path: Path, clock: SettableClock) -> None:
    """A sink that returns has delivered, with any return value."""
    replan(ledger, facts(PATCH))

    class Odd(Accepting):
        def send(self, message: Message) -> str | None:
            del message
            return 250  # type: ignore[return-value]  # as a plugin may

    deliver(worker(path, Odd(), clock), ledger)
    assert attempts(path) == [("sent", "")]


@pytest.mark.parametrize("error", [RuntimeError("no connection"), SystemExit(1)])
def test_sink_that_breaks_when_it_is_closed(
    ledger: Ledger, path: Path, clock: SettableClock, error: BaseException
) -> None:
    """It has delivered all the same; a crash is logged, and the thread ends in order."""
    replan(ledger, facts(PATCH))

    class Breaking(Accepting):
        def close(self) -> None:
            raise error

    deliverer = worker(path, Breaking(), clock)
    with capture_logs() as logs:
        deliverer.run(clock)

    assert outcomes(path) == ["sent"]
    assert "delivery.crashed" in [line["event"] for line in logs]


def test_durable_before_the_next_message_is_sent(ledger: Ledger, path: Path, clock: SettableClock) -> None:
    """Each attempt is written down before it is made, and the outcome of the one before it, too."""
    replan(ledger, facts(PATCH, to=(ALICE, BOB, CAROL)))
    seen: list[list[object]] = []
    deliver(worker(path, Accepting(lambda: seen.append(outcomes(path))), clock), ledger)

    assert seen == [[None], ["sent", None], ["sent", "sent", None]]
    assert outcomes(path) == ["sent"] * 3


def test_worker_that_is_stopping(ledger: Ledger, path: Path, clock: SettableClock) -> None:
    """It finishes the attempt in progress, and begins no other."""
    replan(ledger, facts(PATCH, to=(ALICE, BOB)))

    def stop() -> None:
        deliverer.is_stopping = True

    deliverer = worker(path, Accepting(stop), clock)
    deliver(deliverer, ledger)
    assert outcomes(path) == ["sent"]
    deliver(deliverer, ledger)
    assert outcomes(path) == ["sent"]
    assert find_attempt(ledger) is not None


def test_sink_that_fails_as_a_whole(ledger: Ledger, path: Path, clock: SettableClock) -> None:
    """Its other messages are not even tried."""
    replan(ledger, facts(PATCH, to=(ALICE, BOB)))
    deliver(worker(path, Raising(TransientDeliveryError("no connection", sink_wide=True)), clock), ledger)

    assert outcomes(path) == ["deferred"]


def test_damaged_message_takes_nothing_from_the_one_before(ledger: Ledger, path: Path, clock: SettableClock) -> None:
    """An acceptance is recorded though the next message cannot be read; then that is an error."""
    replan(ledger, facts(PATCH, to=(ALICE, BOB)))
    order = [row[0] for row in query(path, "SELECT id FROM message ORDER BY id")]
    sink = Accepting(lambda: query(path, "UPDATE delivery SET notice = '{' WHERE message_id = ?", order[1]))
    with pytest.raises(LedgerError, match="is damaged"):
        deliver(worker(path, sink, clock), ledger)

    assert query(path, "SELECT state FROM message ORDER BY id") == [("sent",), ("pending",)]


def test_each_message_is_composed_from_the_newest_state(ledger: Ledger, path: Path, clock: SettableClock) -> None:
    """A check ends meanwhile: the next message says what it found."""
    replan(ledger, facts(PATCH, to=(ALICE, BOB)))
    said: list[object] = []

    class Reading(Accepting):
        def send(self, message: Message) -> str | None:
            said.append(message.payload["data"]["installed_version"])  # type: ignore[index]  # of a JSON document
            with Ledger.open(path, INSTANCE) as other, other.writing() as transaction:
                transaction.keep_state(transaction.state().running_on(PATCH.version), NOW)
            return super().send(message)

    deliver(worker(path, Reading(), clock), ledger)
    assert said == [None, "4.5.1"]


def test_message_that_becomes_due_meanwhile_is_sent(ledger: Ledger, path: Path, clock: SettableClock) -> None:
    """The due time is read before each attempt."""
    replan(ledger, facts(PATCH))
    replan(ledger, facts(PATCH, to=(ALICE, BOB), now=NOW + DAY))
    worker(path, Accepting(lambda: clock.step(DAY)), clock).deliver_due(ledger, clock)

    assert outcomes(path) == ["sent", "sent"]


def test_ledger_that_fails_before_an_attempt(
    ledger: Ledger, path: Path, clock: SettableClock, holder: sqlite3.Connection
) -> None:
    """A message whose attempt cannot be written down is not sent."""
    replan(ledger, facts(PATCH))
    sink = Accepting()
    deliverer = worker(path, sink, clock)
    holder.execute("BEGIN IMMEDIATE")
    with capture_logs() as logs:
        deliverer.run(clock)
    holder.execute("ROLLBACK")

    assert (sink.messages, outcomes(path)) == ([], [])
    assert "is locked by another process" in deliverer.problem
    assert [line["event"] for line in logs] == ["ledger.failed"]
    deliverer.run(clock)
    assert (deliverer.problem, outcomes(path)) == ("", ["sent"])


def test_acceptance_that_the_ledger_cannot_take_yet(
    ledger: Ledger, path: Path, clock: SettableClock, holder: sqlite3.Connection
) -> None:
    """It is recorded as soon as the ledger works again, before anything else is sent."""
    replan(ledger, facts(PATCH, to=(ALICE, BOB)))
    statements = iter(["BEGIN IMMEDIATE", "SELECT 1"])
    sink = Accepting(lambda: holder.execute(next(statements)))
    deliverer = worker(path, sink, clock)
    thread = threading.Thread(target=deliverer.run, args=(clock,))
    with capture_logs() as logs:
        thread.start()
        thread.join(0.5)
        assert thread.is_alive()
        assert "is locked by another process" in deliverer.problem
        assert (len(sink.messages), outcomes(path)) == (1, [None])
        holder.execute("ROLLBACK")
        thread.join(PATIENCE_SECONDS)

    assert outcomes(path) == ["sent", "sent"]
    assert len({message.id for message in sink.messages}) == 2
    assert [line["event"] for line in logs] == ["ledger.failed", "delivery.sent", "delivery.sent"]


def test_failure_that_cannot_be_recorded(
    ledger: Ledger, path: Path, clock: SettableClock, holder: sqlite3.Connection
) -> None:
    """Nothing was delivered: the next owner closes the attempt, and the message is due."""
    replan(ledger, facts(PATCH))

    class Failing(Accepting):
        def send(self, message: Message) -> str | None:
            del message
            holder.execute("BEGIN IMMEDIATE")
            raise TransientDeliveryError("busy")

    with Ledger.open(path, INSTANCE) as own:
        deliverer = worker(path, Failing(), clock)
        deliverer.run(clock)
        holder.execute("ROLLBACK")
        assert "is locked by another process" in deliverer.problem
        assert outcomes(path) == [None]
        own.close_open_attempts(NOW)
        assert take(own).number == 2


LIMITS: list[tuple[str, object, timedelta]] = [
    ("a quick sink", timedelta(seconds=30), timedelta(seconds=30)),
    ("a sink that asks for too much", timedelta(days=1), ATTEMPT_LIMIT),
    ("a sink without a limit", None, ATTEMPT_LIMIT),
    ("a sink with a wrong type", 30, ATTEMPT_LIMIT),
]


@pytest.mark.parametrize(("sentence", "asked", "expected"), LIMITS, ids=[row[0] for row in LIMITS])
def test_time_limit_of_an_attempt(
    ledger: Ledger, path: Path, clock: SettableClock, sentence: str, asked: object, expected: timedelta
) -> None:
    """The sink may ask for less than our own bound; the attempt in progress is visible to the main thread."""
    del sentence
    replan(ledger, facts(PATCH))
    seen: list[float] = []

    def look() -> None:
        assert deliverer.current is not None
        seen.append(deliverer.ends_at - time.monotonic())

    sink = Accepting(look)
    sink.attempt_limit = asked
    deliverer = worker(path, sink, clock)
    deliverer.load()
    deliver(deliverer, ledger)

    assert seen == [pytest.approx(expected.total_seconds(), abs=10)]
    assert (deliverer.current, deliverer.ends_at) == (None, float("inf"))


def test_outcome_that_comes_after_the_limit(ledger: Ledger, path: Path, clock: SettableClock) -> None:
    """The main thread has recorded the attempt as deferred; an acceptance counts all the same."""
    replan(ledger, facts(PATCH))
    sink = Hanging()
    deliverer = worker(path, sink, clock)
    thread = threading.Thread(target=deliverer.run, args=(clock,))
    thread.start()
    assert sink.has_begun.wait(PATIENCE_SECONDS)
    current = deliverer.current
    assert current is not None
    error = TransientDeliveryError("took longer than it may", sink_wide=True, may_have_arrived=True)
    ledger.record(current, settle_attempt(current, error, "", NOW), NOW)
    assert outcomes(path) == ["unknown"]
    sink.may_end.set()
    thread.join(PATIENCE_SECONDS)

    assert states(ledger, PATCH) == {ROW: DeliveryState.SENT}
    assert find_attempt(ledger, NOW + DAY) is None


def test_round_of_several_sinks(ledger: Ledger, path: Path, clock: SettableClock) -> None:
    """Each sink has a thread; one that fails is reported after the others have delivered."""
    replan(ledger, facts(PATCH, to=(ALICE, BOB, HOOK)))
    mail, hook = worker(path, Accepting(), clock), worker(path, Accepting(), clock)
    hook.sink_name = "webhook"
    for each in (mail, hook):
        each.open_ledger = lambda: Ledger.open(path, INSTANCE)
    assert deliver_round([mail, hook], NOW) == 3
    assert outcomes(path) == ["sent"] * 3

    def fail() -> Ledger:
        raise LedgerError("no ledger")

    hook.open_ledger = fail
    replan(ledger, facts(update("4.5.2")))
    with pytest.raises(LedgerError, match="no ledger"):
        deliver_round([hook, mail], NOW)
    assert outcomes(path) == ["sent"] * 4
