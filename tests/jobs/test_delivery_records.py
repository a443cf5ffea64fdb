"""A delivery is written down before and after: no attempt without a record, and no acceptance is forgotten."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from captured_logs import capture_logs
from jobs.examples import PATIENCE_SECONDS, Accepting, Hanging, deliver, outcomes, worker
from ledger.examples import ALICE, BOB, DAY, INSTANCE, NOW, SettableClock, facts, update
from ledger.locations import query
from ledger.steps import find_attempt, replan, states, take
from mastodon_update_check.domain.outbox import DeliveryState
from mastodon_update_check.domain.recipients import Recipient
from mastodon_update_check.errors import LedgerError, TransientDeliveryError
from mastodon_update_check.ledger.ledger import Ledger
from mastodon_update_check.ledger.sqlite import SqliteLocation
from mastodon_update_check.messages.message import Message

PATCH = update("4.5.1")
CAROL = Recipient(sink="email", key="user:3", address="carol@social.example")


@pytest.fixture
def holder(ledger: Ledger, path: Path) -> Iterator[sqlite3.Connection]:
    """Return the connection of another program, which can keep others from writing."""
    del ledger
    with closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as connection:
        yield connection


def test_durable_before_the_next_message_is_sent(ledger: Ledger, path: Path, clock: SettableClock) -> None:
    """Each attempt is written down before it is made, and the outcome of the one before it, too."""
    replan(ledger, facts(PATCH, to=(ALICE, BOB, CAROL)))
    seen: list[list[object]] = []
    deliver(worker(path, Accepting(lambda: seen.append(outcomes(path))), clock), ledger)

    assert seen == [[None], ["sent", None], ["sent", "sent", None]]
    assert outcomes(path) == ["sent"] * 3


def test_damaged_message_takes_nothing_from_the_one_before(ledger: Ledger, path: Path, clock: SettableClock) -> None:
    """An acceptance is recorded though the next message cannot be read; then that is an error."""
    replan(ledger, facts(PATCH, to=(ALICE, BOB)))
    order = [row[0] for row in query(path, "SELECT id FROM message ORDER BY id")]
    sink = Accepting(lambda: query(path, "UPDATE delivery SET notice = '{' WHERE message_id = ?", order[1]))
    with pytest.raises(LedgerError, match="is damaged"):
        deliver(worker(path, sink, clock), ledger)

    assert query(path, "SELECT state FROM message ORDER BY id") == [("sent",), ("pending",)]


def test_ledger_that_fails_before_an_attempt(
    ledger: Ledger, path: Path, clock: SettableClock, holder: sqlite3.Connection
) -> None:
    """A message whose attempt cannot be written down is not sent."""
    replan(ledger, facts(PATCH))
    sink = Accepting()
    deliverer = worker(path, sink, clock)
    holder.execute("BEGIN IMMEDIATE")
    with capture_logs() as logs:
        deliverer.run()
    holder.execute("ROLLBACK")

    assert (sink.messages, outcomes(path)) == ([], [])
    assert "is locked by another process" in deliverer.problem
    assert [line["event"] for line in logs] == ["ledger.failed"]
    deliverer.run()
    assert (deliverer.problem, outcomes(path)) == ("", ["sent"])


def test_acceptance_that_the_ledger_cannot_take_yet(
    ledger: Ledger, path: Path, clock: SettableClock, holder: sqlite3.Connection
) -> None:
    """It is recorded as soon as the ledger works again, before anything else is sent."""
    replan(ledger, facts(PATCH, to=(ALICE, BOB)))
    statements = iter(["BEGIN IMMEDIATE", "SELECT 1"])
    sink = Accepting(lambda: holder.execute(next(statements)))
    deliverer = worker(path, sink, clock)
    thread = threading.Thread(target=deliverer.run)
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

    with Ledger.open(SqliteLocation(path), INSTANCE) as own:
        deliverer = worker(path, Failing(), clock)
        deliverer.run()
        holder.execute("ROLLBACK")
        assert "is locked by another process" in deliverer.problem
        assert outcomes(path) == [None]
        own.close_open_attempts(NOW)
        assert take(own).number == 2


def test_outcome_that_comes_after_the_limit(ledger: Ledger, path: Path, clock: SettableClock) -> None:
    """The main thread has recorded the attempt as deferred; an acceptance counts all the same."""
    replan(ledger, facts(PATCH))
    sink = Hanging()
    deliverer = worker(path, sink, clock)
    thread = threading.Thread(target=deliverer.run)
    thread.start()
    assert sink.has_begun.wait(PATIENCE_SECONDS)
    deliverer.give_up(ledger)
    assert outcomes(path) == ["unknown"]
    sink.may_end.set()
    thread.join(PATIENCE_SECONDS)

    assert states(ledger, PATCH) == {("user:1", "update/4.5.1/plain"): DeliveryState.SENT}
    assert find_attempt(ledger, NOW + DAY) is None
