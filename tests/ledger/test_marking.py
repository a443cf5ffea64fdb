"""Marking as told what waits, instead of sending it."""

from datetime import timedelta

from ledger.examples import (
    ALICE,
    BOB,
    INSTANCE,
    LEASE_OVER,
    NOW,
    SECOND,
    accept,
    defer,
    facts,
    find_claim,
    replan,
    states,
    take,
    update,
)
from ledger.places import query
from mastodon_update_check.domain.outbox import MAILS_A_DAY, DeliveryState
from mastodon_update_check.ledger.engine import Place
from mastodon_update_check.ledger.ledger import Ledger

PATCH = update("4.5.1")


def mark(ledger: Ledger) -> int:
    """Mark everything of the instance."""
    with ledger.writing() as book:
        return book.mark_told(INSTANCE, NOW)


def test_told_for_good(ledger: Ledger, place: Place) -> None:
    """What was marked is told, with its own reason; nothing is sent, and nothing is planned again."""
    replan(ledger, facts(PATCH, to=(ALICE, BOB)))
    assert 2 == mark(ledger)
    assert {DeliveryState.SENT} == set(states(ledger, PATCH).values())
    assert [("marked_at_setup",)] == query(place, "SELECT DISTINCT reason FROM delivery")
    assert find_claim(ledger) is None
    assert () == replan(ledger, facts(PATCH, to=(ALICE, BOB))).messages
    assert 0 == ledger.summary(INSTANCE, NOW).undelivered


def test_what_comes_later_is_told(ledger: Ledger) -> None:
    """A newer release, a release that turns urgent and a new recipient are told as ever."""
    replan(ledger, facts(PATCH))
    mark(ledger)
    urgent = update("4.5.1", urgent=True)
    later = (facts(PATCH, update("4.5.2")), facts(urgent), facts(urgent, to=(BOB,)))
    assert [1, 1, 1] == [len(replan(ledger, known).messages) for known in later]


def test_counts_for_no_limit(ledger: Ledger) -> None:
    """What was marked is none of the mails that somebody may get in a day."""
    for number in range(MAILS_A_DAY):
        replan(ledger, facts(*(update(f"4.5.{patch}") for patch in range(1, number + 2))))
        mark(ledger)
    replan(ledger, facts(update("4.6.0")))
    assert find_claim(ledger) is not None


def test_what_was_tried_is_marked_too(ledger: Ledger) -> None:
    """A message that waits for its next attempt is not sent any more."""
    replan(ledger, facts(PATCH))
    defer(ledger, take(ledger))
    assert 1 == mark(ledger)
    assert find_claim(ledger, NOW + timedelta(days=2)) is None


def test_what_is_being_sent_is_left_alone(ledger: Ledger) -> None:
    """Whoever has a message in hand records what comes of it."""
    replan(ledger, facts(PATCH, to=(ALICE, BOB)))
    claim = take(ledger)
    assert 1 == mark(ledger)
    accept(ledger, claim, NOW + SECOND)
    assert {DeliveryState.SENT} == set(states(ledger, PATCH).values())


def test_acceptance_that_comes_late(ledger: Ledger) -> None:
    """An attempt that was given up for dead and marked, and then is accepted: told once, and said so."""
    replan(ledger, facts(PATCH, now=NOW - LEASE_OVER))
    claim = take(ledger, NOW - LEASE_OVER)
    assert 1 == mark(ledger)
    accept(ledger, claim)
    assert {DeliveryState.SENT} == set(states(ledger, PATCH).values())
    assert () == replan(ledger, facts(PATCH)).messages


def test_other_instances(ledger: Ledger) -> None:
    """Another server's messages are not touched."""
    replan(ledger, facts(PATCH, instance="other.example"))
    assert 0 == mark(ledger)
    assert find_claim(ledger, instance="other.example") is not None
