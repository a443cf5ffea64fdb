"""The ledger in numbers, and when a sink has something to do next."""

from dataclasses import asdict

from ledger.examples import ALICE, BOB, DAY, HOOK, NOW, SECOND, SETTINGS, SINKS, YEAR, facts, update
from ledger.locations import query
from ledger.steps import accept, defer, refuse, replan, take
from mastodon_update_check.ledger.ledger import Ledger
from mastodon_update_check.ledger.location import Location

PATCH = update("4.5.1")
MINOR = update("4.6.0")


def test_messages_are_counted_and_sinks_described(ledger: Ledger) -> None:
    """One sent, one refused, one deferred by a sink that fails as a whole, one being sent."""
    carol = update("4.5.2")
    replan(ledger, facts(PATCH, to=(ALICE, BOB), now=NOW - DAY))
    accept(ledger, take(ledger))
    refuse(ledger, take(ledger))
    replan(ledger, facts(PATCH, carol, to=(ALICE, BOB, HOOK)))
    defer(ledger, take(ledger, sink="webhook"), sink_wide=True)
    take(ledger)
    found = ledger.summary(NOW, SINKS)

    assert (found.deferred, found.failed, found.undelivered) == (3, 1, 4)
    assert found.waiting_since == NOW - DAY
    common = {"settings": SETTINGS, "is_stopped": False}
    refusing = {"failing_since": None, "retry_at": None, "reply": "no such user", "sent_at": NOW}
    failing = {"failing_since": NOW, "retry_at": NOW + 5 * SECOND, "reply": "busy", "sent_at": None}
    assert [asdict(sink) for sink in found.sinks] == [
        {"name": "email", "undelivered": 3, **common, **refusing},
        {"name": "webhook", "undelivered": 1, **common, **failing},
    ]


def test_a_sink_fails_since_its_first_failure(ledger: Ledger) -> None:
    """Further failures do not move the date; an acceptance ends it."""
    replan(ledger, facts(PATCH))
    defer(ledger, take(ledger), sink_wide=True)
    later = NOW + 5 * SECOND
    defer(ledger, take(ledger, later), later, sink_wide=True)
    during = ledger.summary(later, SINKS).sinks[0]
    accept(ledger, take(ledger, NOW + DAY), NOW + DAY)
    after = ledger.summary(NOW + DAY, SINKS).sinks[0]

    assert (during.failing_since, during.sent_at) == (NOW, None)
    assert (after.failing_since, after.sent_at, after.reply) == (None, NOW + DAY, "accepted")


def test_a_sink_that_failed_while_the_clock_was_ahead(ledger: Ledger) -> None:
    """Its failing counts from the next failure on."""
    replan(ledger, facts(PATCH))
    defer(ledger, take(ledger, NOW + YEAR), NOW + YEAR, sink_wide=True)
    defer(ledger, take(ledger), sink_wide=True)

    assert [sink.failing_since for sink in ledger.summary(NOW, SINKS).sinks] == [NOW]


def test_a_sink_that_refuses_each_message_fails(ledger: Ledger) -> None:
    """A mail server that refuses to relay refuses every recipient: a sink without an acceptance is failing."""
    replan(ledger, facts(PATCH, to=(ALICE, BOB)))
    defer(ledger, take(ledger))
    refuse(ledger, take(ledger))

    assert [(sink.failing_since, sink.retry_at) for sink in ledger.summary(NOW, SINKS).sinks] == [(NOW, None)]


def test_one_refused_recipient_is_not_a_failing_sink(ledger: Ledger) -> None:
    """Other recipients were notified since, in any order and after any number of attempts."""
    replan(ledger, facts(PATCH, to=(ALICE, BOB)))
    defer(ledger, take(ledger))
    accept(ledger, take(ledger))
    again = NOW + 5 * SECOND
    assert [sink.failing_since for sink in ledger.summary(NOW, SINKS).sinks] == [None]
    defer(ledger, take(ledger, again), again)

    assert [sink.failing_since for sink in ledger.summary(again, SINKS).sinks] == [None]


def test_an_acceptance_by_a_clock_that_was_ahead_hides_no_failing_sink(ledger: Ledger) -> None:
    """An acceptance dated a year ahead does not count."""
    replan(ledger, facts(PATCH, to=(ALICE, BOB)))
    accept(ledger, take(ledger), NOW + YEAR)
    defer(ledger, take(ledger))

    assert [sink.failing_since for sink in ledger.summary(NOW, SINKS).sinks] == [NOW]


def test_next_due_now(ledger: Ledger) -> None:
    """A new message is due, and so is one that a wrong clock deferred by a year."""
    replan(ledger, facts(PATCH))
    assert ledger.next_due_at("email", NOW + SECOND) == NOW
    defer(ledger, take(ledger, NOW + YEAR), NOW + YEAR)

    assert ledger.next_due_at("email", NOW) == NOW
    assert ledger.next_due_at("webhook", NOW) is None


def test_next_due_with_a_deferred_message(ledger: Ledger) -> None:
    """A message that is being sent counts as due: if its process has died, the next one is to close its attempt."""
    replan(ledger, facts(PATCH))
    defer(ledger, take(ledger))
    soon = NOW + 5 * SECOND
    assert ledger.next_due_at("email", NOW) == soon
    take(ledger, soon)

    assert ledger.next_due_at("email", soon) == soon


def test_sent_and_cancelled_messages_are_not_due(ledger: Ledger, place: Location) -> None:
    """Neither accepted nor withdrawn messages wake the daemon."""
    replan(ledger, facts(PATCH))
    accept(ledger, take(ledger))
    replan(ledger, facts(PATCH, MINOR))
    replan(ledger, facts(PATCH))

    assert ledger.next_due_at("email", NOW + YEAR) is None
    assert query(place, "SELECT state FROM message ORDER BY state") == [("cancelled",), ("sent",)]
