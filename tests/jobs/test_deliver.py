"""Attempts: composed from the newest state, handed over to the sink, recorded with its reply."""

from concurrent.futures import wait
from datetime import timedelta
from pathlib import Path

import pytest

from captured_logs import capture_logs
from jobs.examples import PATIENCE_SECONDS, Accepting, Hanging, attempts, deliver, make_context, outcomes, worker
from ledger.examples import ALICE, BOB, DAY, HOOK, INSTANCE, NOW, SettableClock, facts, update
from ledger.steps import find_attempt, replan, states
from mastodon_update_check.domain.outbox import DeliveryState
from mastodon_update_check.errors import LedgerError
from mastodon_update_check.jobs.workers import Deliveries
from mastodon_update_check.ledger.ledger import Ledger
from mastodon_update_check.ledger.sqlite import SqliteLocation
from mastodon_update_check.messages.content import MessageContext
from mastodon_update_check.messages.message import Message

PATCH = update("4.5.1")
ROW = ("user:1", "update/4.5.1/plain")


def test_accepted_message(ledger: Ledger, path: Path, clock: SettableClock) -> None:
    """It is composed from its rows, under its planned id, and recorded. Without one, a sink is not even loaded."""
    deliver(worker(path, Accepting(), clock, load_sink=lambda: pytest.fail("loaded")), ledger)
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


def test_each_message_is_composed_from_the_newest_state(ledger: Ledger, path: Path, clock: SettableClock) -> None:
    """A check ends meanwhile: the next message says what it found."""
    replan(ledger, facts(PATCH, to=(ALICE, BOB)))
    said: list[object] = []

    class Reading(Accepting):
        def send(self, message: Message) -> str | None:
            said.append(message.payload["data"]["installed_version"])  # type: ignore[index]  # of a JSON document
            with Ledger.open(SqliteLocation(path), INSTANCE) as other, other.writing() as transaction:
                transaction.keep_state(transaction.state().running_on(PATCH.version), NOW)
            return super().send(message)

    deliver(worker(path, Reading(), clock), ledger)
    assert said == [None, "4.5.1"]


def test_message_that_becomes_due_meanwhile_is_sent(ledger: Ledger, path: Path, clock: SettableClock) -> None:
    """The due time is read before each attempt."""
    replan(ledger, facts(PATCH))
    replan(ledger, facts(PATCH, to=(ALICE, BOB), now=NOW + DAY))
    worker(path, Accepting(lambda: clock.step(DAY)), clock).deliver_due(ledger)

    assert outcomes(path) == ["sent", "sent"]


def test_round_of_several_sinks(ledger: Ledger, path: Path, clock: SettableClock) -> None:
    """Each sink has a thread; one that fails is reported after the others have delivered."""
    replan(ledger, facts(PATCH, to=(ALICE, BOB, HOOK)))
    mail, hook = (worker(path, Accepting(), clock, due_by=NOW) for _ in range(2))
    hook.sink_name = "webhook"
    deliveries = Deliveries([mail, hook])
    deliveries.run(ledger)
    assert deliveries.sent == 3
    assert outcomes(path) == ["sent"] * 3

    def fail() -> Ledger:
        raise LedgerError("no ledger")

    hook.open_ledger = fail
    replan(ledger, facts(update("4.5.2"), to=(ALICE, HOOK)))
    deliveries = Deliveries([hook, mail])
    deliveries.run(ledger)
    assert deliveries.problems == ["no ledger"]
    assert outcomes(path) == ["sent"] * 4


def test_command_does_not_wait_for_a_sink_that_hangs(ledger: Ledger, path: Path, clock: SettableClock) -> None:
    """The result of an attempt past its limit is unknown, and the other sinks have delivered."""
    replan(ledger, facts(PATCH, to=(ALICE, HOOK)))
    sink = Hanging()
    sink.attempt_limit = timedelta(seconds=2)
    mail, hook = (worker(path, each, clock, due_by=NOW) for each in (sink, Accepting()))
    hook.sink_name = "webhook"
    mail._sink = sink
    deliveries = Deliveries([mail, hook])
    with Ledger.open(SqliteLocation(path), INSTANCE) as patient:
        deliveries.run(patient)

    assert deliveries.sent == 1
    assert sorted(map(str, outcomes(path))) == ["sent", "unknown"]
    sink.may_end.set()
    wait(deliveries._threads.values(), PATIENCE_SECONDS)
    assert outcomes(path) == ["sent", "sent"]
