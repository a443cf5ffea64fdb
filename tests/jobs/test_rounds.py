"""One round: one attempt at everything that is due, every sink for itself."""

import threading
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from captured_logs import capture_logs
from jobs.examples import PATIENCE_SECONDS, Accepting, Hanging, Raising, courier
from ledger.examples import ALICE, BOB, HOOK, INSTANCE, NOW, SettableClock, facts, replan, update
from mastodon_update_check.errors import LedgerError, TransientDeliveryError
from mastodon_update_check.jobs.rounds import deliver_round
from mastodon_update_check.ledger.ledger import Ledger

PATCH = update("4.5.1")


class Ticking(SettableClock):
    """A clock that goes on by an hour whenever it is asked: more than the first wait after a failure."""

    def __call__(self) -> datetime:
        self.step(timedelta(hours=1))
        return self.now


def test_a_round_without_sinks() -> None:
    """There is nothing to do, and nothing was sent."""
    assert 0 == deliver_round((), NOW)


def test_each_due_message_gets_one_attempt(ledger: Ledger, path: Path) -> None:
    """However long the round takes, what fails is not tried again in it; what was accepted is counted."""
    replan(ledger, facts(PATCH, to=(ALICE, BOB, HOOK, replace(HOOK, sink="webhook.ops", key="webhook:bbbb"))))
    mail, ops, hook = Accepting(), Accepting(), Raising(TransientDeliveryError("busy"))
    couriers = [
        courier(path, sink, Ticking(), sink_name=name)
        for name, sink in (("email", mail), ("webhook", hook), ("webhook.ops", ops))
    ]

    assert 3 == deliver_round(couriers, NOW)
    assert (2, 1, 1) == tuple(len(sink.messages) for sink in (mail, ops, hook))
    assert 1 == ledger.summary(INSTANCE, NOW).undelivered
    assert (1, 1, 1) == (mail.closed, ops.closed, hook.closed)


def test_what_was_not_due_when_the_round_began_waits(ledger: Ledger, path: Path, clock: SettableClock) -> None:
    """It is the next round's."""
    replan(ledger, facts(PATCH, now=NOW + timedelta(seconds=1)))

    assert 0 == deliver_round([courier(path, Accepting(), clock)], NOW)


def test_a_hanging_sink_keeps_no_other_from_its_messages(ledger: Ledger, path: Path, clock: SettableClock) -> None:
    """All others are served while it hangs; only then is it let go."""
    replan(ledger, facts(PATCH, to=(ALICE, BOB, HOOK)))
    hanging = Hanging()
    has_served = threading.Event()

    class Mail(Accepting):
        def close(self) -> None:
            assert hanging.has_begun.wait(PATIENCE_SECONDS)
            has_served.set()
            hanging.may_end.set()

    mail = Mail()
    couriers = [courier(path, hanging, clock, sink_name="webhook"), courier(path, mail, clock)]

    assert 3 == deliver_round(couriers, NOW)
    assert has_served.is_set()
    assert (2, 1) == (len(mail.messages), len(hanging.messages))


def test_a_ledger_that_fails_one_sink(ledger: Ledger, path: Path, clock: SettableClock) -> None:
    """The others have their turn all the same, and then it is said."""
    replan(ledger, facts(PATCH, to=(ALICE, HOOK)))
    mail = Accepting()

    def fail() -> Ledger:
        raise LedgerError("no more descriptors")

    couriers = [courier(path, Accepting(), clock, sink_name="webhook", open_ledger=fail), courier(path, mail, clock)]
    with pytest.raises(LedgerError, match="no more descriptors"):
        deliver_round(couriers, NOW)

    assert 1 == len(mail.messages)


def test_a_connection_is_closed_when_the_round_breaks_off(ledger: Ledger, path: Path, clock: SettableClock) -> None:
    """Also by what should never happen."""
    del ledger
    sink = Accepting()

    class Broken(SettableClock):
        def __call__(self) -> datetime:
            raise SystemExit(3)

    messenger = courier(path, sink, clock)
    messenger.load()
    messenger.clock = Broken()
    with pytest.raises(SystemExit):
        deliver_round([messenger], NOW)

    assert 1 == sink.closed


def test_a_sink_that_cannot_be_closed(ledger: Ledger, path: Path, clock: SettableClock) -> None:
    """It has delivered all the same, and that is not hidden; what is wrong is said."""
    replan(ledger, facts(PATCH))

    class Unclosable(Accepting):
        def close(self) -> None:
            raise RuntimeError("no close")

    with capture_logs() as logs:
        assert 1 == deliver_round([courier(path, Unclosable(), clock)], NOW)

    assert [("email", "close(): RuntimeError: no close")] == [
        (line["sink"], line["detail"]) for line in logs if line["event"] == "delivery.crashed"
    ]
