"""What came of an attempt: an acceptance is the truth, however late; a failure counts only while the claim stands."""

from dataclasses import replace

from ledger.examples import (
    ALICE,
    BOB,
    DAY,
    INSTANCE,
    LEASE_OVER,
    NOW,
    SECOND,
    accept,
    defer,
    facts,
    find_claim,
    refuse,
    replan,
    states,
    take,
    update,
)
from ledger.places import query
from mastodon_update_check.domain.outbox import DELAYS, DeliveryState
from mastodon_update_check.domain.recipients import Recipient, address_key
from mastodon_update_check.ledger.engine import Place
from mastodon_update_check.ledger.ledger import Ledger

PATCH = update("4.5.1")
URGENT = update("4.5.1", urgent=True)
MINOR = update("4.6.0")
PLAIN = ("user:1", "update/4.5.1/plain")
LATE = NOW + LEASE_OVER


def test_an_acceptance_tells_the_rows_that_were_sent(ledger: Ledger, place: Place) -> None:
    """And only those: another recipient is told for himself."""
    replan(ledger, facts(PATCH))
    replan(ledger, facts(PATCH, to=(ALICE, BOB), now=NOW + SECOND))
    accept(ledger, take(ledger))

    assert {PLAIN: DeliveryState.SENT, ("user:2", PLAIN[1]): DeliveryState.PENDING} == states(ledger, PATCH)
    assert [("sent", "accepted")] == query(place, "SELECT outcome, reply FROM attempt")


def test_an_acceptance_may_be_recorded_twice(ledger: Ledger) -> None:
    """Nobody knows whether a commit that failed was made: recording again does no harm."""
    replan(ledger, facts(PATCH))
    claim = take(ledger)
    accept(ledger, claim)
    accept(ledger, claim, NOW + SECOND)

    assert {PLAIN: DeliveryState.SENT} == states(ledger, PATCH)
    assert find_claim(ledger, NOW + DAY) is None


def test_failures_are_put_off_longer_and_longer(ledger: Ledger) -> None:
    """By the table, and daily from then on."""
    replan(ledger, facts(PATCH))
    now = NOW
    waits = []
    for _ in range(len(DELAYS) + 2):
        claim = take(ledger, now)
        defer(ledger, claim, now)
        due_at = ledger.next_due_at(INSTANCE, "email", now)
        assert due_at is not None
        assert find_claim(ledger, due_at - SECOND / 100) is None
        waits.append(due_at - now)
        now = due_at

    assert [*DELAYS, DELAYS[-1], DELAYS[-1]] == waits


def test_an_acceptance_after_a_cancellation_wins(ledger: Ledger) -> None:
    """Withdrawn while a frozen process sent it: it was told, and is not told again when it is listed again."""
    replan(ledger, facts(PATCH))
    claim = take(ledger)
    replan(ledger, facts(now=LATE))
    assert {PLAIN: DeliveryState.CANCELLED} == states(ledger, PATCH)
    accept(ledger, claim, LATE)

    assert {PLAIN: DeliveryState.SENT} == states(ledger, PATCH)
    assert () == replan(ledger, facts(PATCH, now=LATE)).messages
    assert find_claim(ledger, LATE) is None


def test_an_acceptance_after_a_lost_claim_wins(ledger: Ledger, other: Ledger) -> None:
    """The one who holds the message now loses it before handing it over; a failure of theirs changes nothing."""
    replan(ledger, facts(PATCH))
    slow = take(ledger)
    owner = take(other, LATE)
    accept(ledger, slow, LATE)
    assert not other.renew(owner, LATE)
    defer(other, owner, LATE)

    assert {PLAIN: DeliveryState.SENT} == states(ledger, PATCH)
    assert find_claim(ledger, LATE + DAY) is None


def test_an_acceptance_after_a_plan_under_another_id_wins(ledger: Ledger) -> None:
    """Withdrawn, and planned anew in other company: the new message only says what was not told."""
    replan(ledger, facts(PATCH))
    slow = take(ledger)
    replan(ledger, facts(now=LATE))
    replan(ledger, facts(PATCH, MINOR, now=LATE))
    accept(ledger, slow, LATE)
    claim = take(ledger, LATE)

    assert slow.message_id != claim.message_id
    assert ("update/4.6.0/plain",) == claim.identities


def test_a_row_that_may_have_arrived_returns_to_its_message(ledger: Ledger, other: Ledger) -> None:
    """Part of what was tried is listed again: a repeat has the same id, and an acceptance ends it in other hands."""
    replan(ledger, facts(PATCH, MINOR))
    slow = take(ledger)
    replan(ledger, facts(now=LATE))
    replan(ledger, facts(PATCH, now=LATE))
    owner = take(other, LATE)
    accept(ledger, slow, LATE)

    assert (slow.message_id, ("update/4.5.1/plain",)) == (owner.message_id, owner.identities)
    assert not other.renew(owner, LATE)
    assert find_claim(ledger, LATE + DAY) is None
    assert 0 == ledger.summary(INSTANCE, LATE).undelivered


def test_a_row_that_may_have_arrived_under_another_key_returns_to_its_message(ledger: Ledger) -> None:
    """An address that has become a user's meanwhile is still the same person's: a repeat has the same id."""
    named = Recipient(sink="email", key=address_key(ALICE.address), address=ALICE.address)
    replan(ledger, facts(PATCH, MINOR, to=(named,)))
    slow = take(ledger)
    replan(ledger, facts(to=(ALICE,), now=LATE))
    replan(ledger, facts(PATCH, to=(ALICE,), now=LATE))
    repeat = take(ledger, LATE)
    accept(ledger, repeat, LATE)

    assert (slow.message_id, ALICE.address) == (repeat.message_id, repeat.recipient.address)
    assert () == replan(ledger, facts(PATCH, to=(ALICE,), now=LATE)).messages
    assert find_claim(ledger, LATE + DAY) is None


def test_who_was_told_that_it_is_urgent_is_not_told_without(ledger: Ledger) -> None:
    """A dead process held the plain message when the release turned urgent; the urgent one says it all."""
    replan(ledger, facts(PATCH))
    take(ledger)
    replan(ledger, facts(URGENT))
    accept(ledger, take(ledger))

    assert find_claim(ledger, LATE) is None
    assert DeliveryState.SUPERSEDED == states(ledger, PATCH)[PLAIN]
    assert 0 == ledger.summary(INSTANCE, LATE).undelivered


def test_an_acceptance_of_what_is_covered_by_now(ledger: Ledger) -> None:
    """The one who held the plain message was not dead: it was told, too."""
    replan(ledger, facts(PATCH))
    slow = take(ledger)
    replan(ledger, facts(URGENT))
    accept(ledger, take(ledger))
    assert not ledger.renew(slow, NOW)
    accept(ledger, slow, LATE)

    assert DeliveryState.SENT == states(ledger, PATCH)[PLAIN]
    assert () == replan(ledger, facts(URGENT, now=LATE)).messages


def test_an_address_that_somebody_else_has_by_now(ledger: Ledger) -> None:
    """Who takes an address over, while the one who had it is still there, gets a message of their own."""
    replan(ledger, facts(PATCH, to=(ALICE,)))
    tried = take(ledger)
    people = replace(ALICE, address="new@social.example"), replace(BOB, address=ALICE.address)
    replan(ledger, facts(to=people, now=LATE))
    replan(ledger, facts(PATCH, to=people, now=LATE))
    claims = [take(ledger, LATE), take(ledger, LATE)]

    assert {"new@social.example", ALICE.address} == {claim.recipient.address for claim in claims}
    assert {ALICE.key: True, BOB.key: False} == {
        claim.recipient_key: claim.message_id == tried.message_id for claim in claims
    }


def test_what_an_id_was_used_up_without(ledger: Ledger) -> None:
    """The one repeat with another id: its own has been accepted without it, and a receiver may have dropped that."""
    replan(ledger, facts(PATCH, MINOR))
    unrecorded = take(ledger)  # accepted, let us say, and the process died
    replan(ledger, facts(MINOR, now=LATE))
    rest = take(ledger, LATE)
    accept(ledger, rest, LATE)
    replan(ledger, facts(PATCH, MINOR, now=LATE))
    again = take(ledger, LATE)

    assert unrecorded.message_id == rest.message_id
    assert ("update/4.6.0/plain",) == rest.identities
    assert ("update/4.5.1/plain",) == again.identities
    assert again.message_id != unrecorded.message_id


def test_an_acceptance_wins_over_a_row_that_was_taken_up_again(ledger: Ledger) -> None:
    """Withdrawn and listed again as it was: the same message, which is done."""
    replan(ledger, facts(PATCH))
    slow = take(ledger)
    replan(ledger, facts(now=LATE))
    replan(ledger, facts(PATCH, now=LATE))
    accept(ledger, slow, LATE)

    assert find_claim(ledger, LATE) is None
    assert 0 == ledger.summary(INSTANCE, LATE).undelivered


def test_a_row_that_an_attempt_did_not_carry_is_not_told_by_it(ledger: Ledger) -> None:
    """It was cancelled before, and listed again since."""
    replan(ledger, facts(PATCH, MINOR))
    replan(ledger, facts(PATCH))
    claim = take(ledger)
    replan(ledger, facts(PATCH, MINOR))
    accept(ledger, claim)
    rest = take(ledger)

    assert ("update/4.6.0/plain",) == rest.identities
    assert claim.message_id != rest.message_id


def test_a_row_that_came_back_too_late_for_its_message_is_not_lost(ledger: Ledger) -> None:
    """Tried with it, tried without it, listed again, and then the attempt without it is accepted: planned anew."""
    replan(ledger, facts(PATCH, MINOR))
    take(ledger)
    replan(ledger, facts(PATCH, now=LATE))
    without = take(ledger, LATE)
    replan(ledger, facts(PATCH, MINOR, now=LATE))
    accept(ledger, without, LATE)
    assert 0 == ledger.summary(INSTANCE, LATE).undelivered
    replan(ledger, facts(PATCH, MINOR, now=LATE))

    assert ("update/4.6.0/plain",) == take(ledger, LATE).identities


def test_a_failure_after_a_lost_claim_changes_nothing(ledger: Ledger, other: Ledger, place: Place) -> None:
    """Neither the message, which somebody else is sending, nor the sink's account; only its attempt is written up."""
    replan(ledger, facts(PATCH))
    slow = take(ledger)
    owner = take(other, LATE)
    before = query(place, "SELECT * FROM message"), query(place, "SELECT * FROM delivery")
    refuse(ledger, slow, LATE, sink_wide=True)

    assert before == (query(place, "SELECT * FROM message"), query(place, "SELECT * FROM delivery"))
    assert () == ledger.summary(INSTANCE, LATE).sinks
    assert other.renew(owner, LATE)
    assert [(1, "failed"), (2, None)] == query(place, "SELECT number, outcome FROM attempt ORDER BY number")


def test_a_refusal_is_counted_as_failed_until_it_is_accepted(ledger: Ledger) -> None:
    """Then its failures are forgotten."""
    replan(ledger, facts(PATCH))
    refuse(ledger, take(ledger))
    first = ledger.summary(INSTANCE, NOW)
    accept(ledger, take(ledger, NOW + 7 * DAY), NOW + 7 * DAY)
    second = ledger.summary(INSTANCE, NOW + 7 * DAY)

    assert (0, 1) == (first.deferred, first.failed)
    assert (0, 0) == (second.deferred, second.failed)
    assert {PLAIN: DeliveryState.SENT} == states(ledger, PATCH)
