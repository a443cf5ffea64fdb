"""One attempt after the other: what is durable before the next message is sent, and when a courier stops."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest

from jobs.examples import Accepting, Acting, Raising, courier
from ledger.examples import ALICE, BOB, DAY, LEASE_OVER, NOW, SettableClock, facts, find_claim, replan, update
from ledger.places import query
from mastodon_update_check.domain.outbox import Outcome
from mastodon_update_check.domain.recipients import Recipient
from mastodon_update_check.errors import LedgerError, TransientDeliveryError
from mastodon_update_check.jobs.deliver import Courier
from mastodon_update_check.ledger.ledger import Ledger
from mastodon_update_check.messages.message import Message

PATCH = update("4.5.1")
CAROL = Recipient(sink="email", key="user:3", address="carol@social.example")


def deliver(messenger: Courier, ledger: Ledger, may_go_on: Callable[[], bool] = lambda: True) -> list[Outcome]:
    """Deliver what is due at the beginning."""
    return messenger.deliver_due(ledger, lambda: NOW, may_go_on)


def attempts(path: Path) -> list[object]:
    """Return the outcome of every attempt, as another process sees it; None for one that is under way."""
    return [row[0] for row in query(path, "SELECT outcome FROM attempt ORDER BY ended_at IS NULL, ended_at")]


def test_what_is_durable_when_the_next_message_is_sent(ledger: Ledger, path: Path, clock: SettableClock) -> None:
    """Each attempt is written down before it is made, and what came of the one before it, too."""
    replan(ledger, facts(PATCH, to=(ALICE, BOB, CAROL)))
    seen: list[list[object]] = []

    assert 3 * [Outcome.SENT] == deliver(courier(path, Acting(lambda: seen.append(attempts(path))), clock), ledger)
    assert [[None], ["sent", None], ["sent", "sent", None]] == seen
    assert 3 * ["sent"] == attempts(path)


def test_a_courier_that_is_told_to_stop(ledger: Ledger, path: Path, clock: SettableClock) -> None:
    """It finishes what it has in hand, and takes nothing else."""
    replan(ledger, facts(PATCH, to=(ALICE, BOB)))
    turns = iter((True, False))

    assert [Outcome.SENT] == deliver(courier(path, Accepting(), clock), ledger, lambda: next(turns))
    assert ["sent"] == attempts(path)
    assert find_claim(ledger) is not None


def test_a_courier_that_may_not_begin(ledger: Ledger, path: Path, clock: SettableClock) -> None:
    """Nothing is claimed."""
    replan(ledger, facts(PATCH))

    assert [] == deliver(courier(path, Accepting(), clock), ledger, lambda: False)
    assert [] == attempts(path)


def test_a_sink_that_fails_as_a_whole(ledger: Ledger, path: Path, clock: SettableClock) -> None:
    """Its other messages are not even claimed."""
    replan(ledger, facts(PATCH, to=(ALICE, BOB)))
    failing = Raising(TransientDeliveryError("no connection", sink_wide=True))

    assert [Outcome.DEFERRED] == deliver(courier(path, failing, clock), ledger)
    assert ["deferred"] == attempts(path)


def test_a_lost_claim_is_not_the_end(ledger: Ledger, path: Path, clock: SettableClock) -> None:
    """The next message has its turn."""
    replan(ledger, facts(PATCH, to=(ALICE, BOB)))
    thefts = iter([True, False, False])

    def steal() -> None:
        if next(thefts):
            clock.step(LEASE_OVER)
            assert find_claim(ledger, clock()) is not None

    assert [Outcome.UNKNOWN, Outcome.SENT] == deliver(courier(path, Acting(steal), clock), ledger)


def test_a_damaged_message_takes_nothing_from_the_one_before(ledger: Ledger, path: Path, clock: SettableClock) -> None:
    """What was accepted is recorded though the next message cannot be read; then that is said."""
    replan(ledger, facts(PATCH, to=(ALICE, BOB)))
    order = [row[0] for row in query(path, "SELECT id FROM message ORDER BY id")]

    def damage() -> None:
        query(path, "UPDATE delivery SET notice = '{' WHERE message_id = ?", order[1])

    with pytest.raises(LedgerError, match="is damaged"):
        deliver(courier(path, Acting(damage), clock), ledger)

    assert [("sent",), ("pending",)] == query(path, "SELECT state FROM message ORDER BY id")


def test_each_message_is_composed_from_what_is_known_then(ledger: Ledger, path: Path, clock: SettableClock) -> None:
    """Another process has checked meanwhile: the next message says what it found."""
    replan(ledger, facts(PATCH, to=(ALICE, BOB)))
    said: list[object] = []

    class Reading(Accepting):
        def send(self, message: Message) -> str | None:
            said.append(message.payload["data"]["installed_version"])  # type: ignore[index]  # of a JSON document
            with Ledger.open(path) as other, other.writing() as book:
                known = book.knowledge("social.example").running_on(PATCH.version)
                book.keep_knowledge("social.example", known, NOW)
            return super().send(message)

    deliver(courier(path, Reading(), clock), ledger)

    assert [None, "4.5.1"] == said


def test_due_is_asked_before_each_claim(ledger: Ledger, path: Path, clock: SettableClock) -> None:
    """What becomes due while others are sent has its turn."""
    replan(ledger, facts(PATCH))
    replan(ledger, facts(PATCH, to=(ALICE, BOB), now=NOW + DAY))
    times = iter((NOW, NOW + DAY, NOW + DAY))

    def due_by() -> datetime:
        return next(times)

    messenger = courier(path, Accepting(), clock)
    assert 2 * [Outcome.SENT] == messenger.deliver_due(ledger, due_by, lambda: True)
