"""Results of attempts: an acceptance always counts; a failure counts only while the attempt is open."""

from dataclasses import replace

from ledger.examples import (
    ALICE,
    BOB,
    DAY,
    NOW,
    SECOND,
    accept,
    defer,
    facts,
    find_attempt,
    refuse,
    replan,
    states,
    take,
    update,
)
from ledger.locations import query
from mastodon_update_check.domain.outbox import DELAYS, DeliveryState
from mastodon_update_check.domain.recipients import Recipient, address_key
from mastodon_update_check.ledger.ledger import Ledger
from mastodon_update_check.ledger.location import Location

PATCH = update("4.5.1")
URGENT = update("4.5.1", urgent=True)
MINOR = update("4.6.0")
PLAIN = ("user:1", "update/4.5.1/plain")
LATE = NOW + 10 * SECOND
"""When the next owner closes what a dead process left open."""


def test_acceptance_marks_the_rows_of_the_attempt(ledger: Ledger, place: Location) -> None:
    """Only the rows of this recipient."""
    replan(ledger, facts(PATCH))
    replan(ledger, facts(PATCH, to=(ALICE, BOB), now=NOW + SECOND))
    accept(ledger, take(ledger))

    assert states(ledger, PATCH) == {PLAIN: DeliveryState.SENT, ("user:2", PLAIN[1]): DeliveryState.PENDING}
    assert query(place, "SELECT outcome, reply FROM attempt") == [("sent", "accepted")]


def test_an_acceptance_may_be_recorded_twice(ledger: Ledger) -> None:
    """After a failed commit it is unknown whether it was made, so it is recorded again."""
    replan(ledger, facts(PATCH))
    attempt = take(ledger)
    accept(ledger, attempt)
    accept(ledger, attempt, NOW + SECOND)

    assert states(ledger, PATCH) == {PLAIN: DeliveryState.SENT}
    assert find_attempt(ledger, NOW + DAY) is None


def test_failures_are_put_off_longer_and_longer(ledger: Ledger) -> None:
    """By the table, and daily from then on."""
    replan(ledger, facts(PATCH))
    now = NOW
    waits = []
    for _ in range(len(DELAYS) + 2):
        attempt = take(ledger, now)
        defer(ledger, attempt, now)
        due_at = ledger.next_due_at("email", now)
        assert due_at is not None
        assert find_attempt(ledger, due_at - SECOND / 100) is None
        waits.append(due_at - now)
        now = due_at

    assert waits == [*DELAYS, DELAYS[-1], DELAYS[-1]]


def test_an_acceptance_after_a_cancellation_wins(ledger: Ledger) -> None:
    """Withdrawn while a frozen process sent it: it counts as sent, and is not repeated when it is listed again."""
    replan(ledger, facts(PATCH))
    attempt = take(ledger)
    ledger.close_open_attempts(LATE)
    replan(ledger, facts(now=LATE))
    assert states(ledger, PATCH) == {PLAIN: DeliveryState.CANCELLED}
    accept(ledger, attempt, LATE)

    assert states(ledger, PATCH) == {PLAIN: DeliveryState.SENT}
    assert replan(ledger, facts(PATCH, now=LATE)).messages == ()
    assert find_attempt(ledger, LATE) is None


def test_an_acceptance_wins_over_the_attempt_that_followed(ledger: Ledger) -> None:
    """A failure of the second attempt changes nothing any more."""
    replan(ledger, facts(PATCH))
    slow = take(ledger)
    ledger.close_open_attempts(LATE)
    again = take(ledger, LATE)
    accept(ledger, slow, LATE)
    defer(ledger, again, LATE)

    assert states(ledger, PATCH) == {PLAIN: DeliveryState.SENT}
    assert find_attempt(ledger, LATE + DAY) is None


def test_an_acceptance_after_a_plan_under_another_id_wins(ledger: Ledger) -> None:
    """Withdrawn and planned again with other rows: the new message has only the unsent ones."""
    replan(ledger, facts(PATCH))
    slow = take(ledger)
    ledger.close_open_attempts(LATE)
    replan(ledger, facts(now=LATE))
    replan(ledger, facts(PATCH, MINOR, now=LATE))
    accept(ledger, slow, LATE)
    attempt = take(ledger, LATE)

    assert slow.message_id != attempt.message_id
    assert attempt.identities == ("update/4.6.0/plain",)


def test_a_row_that_may_have_arrived_returns_to_its_message(ledger: Ledger) -> None:
    """A row of a former attempt is listed again: a repeat has the same id, and a late acceptance ends it."""
    replan(ledger, facts(PATCH, MINOR))
    slow = take(ledger)
    ledger.close_open_attempts(LATE)
    replan(ledger, facts(now=LATE))
    replan(ledger, facts(PATCH, now=LATE))
    again = take(ledger, LATE)
    accept(ledger, slow, LATE)
    defer(ledger, again, LATE)

    assert (again.message_id, again.identities) == (slow.message_id, ("update/4.5.1/plain",))
    assert find_attempt(ledger, LATE + DAY) is None
    assert ledger.summary(LATE).undelivered == 0


def test_a_row_that_may_have_arrived_under_another_key_returns_to_its_message(ledger: Ledger) -> None:
    """An address that has become a user's meanwhile is still the same person's: a repeat has the same id."""
    named = Recipient(sink="email", key=address_key(ALICE.address), address=ALICE.address)
    replan(ledger, facts(PATCH, MINOR, to=(named,)))
    slow = take(ledger)
    ledger.close_open_attempts(LATE)
    replan(ledger, facts(to=(ALICE,), now=LATE))
    replan(ledger, facts(PATCH, to=(ALICE,), now=LATE))
    repeat = take(ledger, LATE)
    accept(ledger, repeat, LATE)

    assert (slow.message_id, ALICE.address) == (repeat.message_id, repeat.recipient.address)
    assert replan(ledger, facts(PATCH, to=(ALICE,), now=LATE)).messages == ()
    assert find_attempt(ledger, LATE + DAY) is None


def test_urgent_message_covers_the_plain_one(ledger: Ledger) -> None:
    """A dead process was sending the plain message when the release turned urgent; the urgent one covers it."""
    replan(ledger, facts(PATCH))
    take(ledger)
    replan(ledger, facts(URGENT))
    accept(ledger, take(ledger))
    ledger.close_open_attempts(LATE)

    assert find_attempt(ledger, LATE) is None
    assert states(ledger, PATCH)[PLAIN] == DeliveryState.SUPERSEDED
    assert ledger.summary(LATE).undelivered == 0


def test_acceptance_of_a_covered_message(ledger: Ledger) -> None:
    """The process was not dead: its plain message counts as sent, too."""
    replan(ledger, facts(PATCH))
    slow = take(ledger)
    replan(ledger, facts(URGENT))
    accept(ledger, take(ledger))
    accept(ledger, slow, LATE)

    assert states(ledger, PATCH)[PLAIN] == DeliveryState.SENT
    assert replan(ledger, facts(URGENT, now=LATE)).messages == ()


def test_address_with_another_user(ledger: Ledger) -> None:
    """The new user of an address gets a message of their own while the former one is still a recipient."""
    replan(ledger, facts(PATCH, to=(ALICE,)))
    tried = take(ledger)
    ledger.close_open_attempts(LATE)
    people = replace(ALICE, address="new@social.example"), replace(BOB, address=ALICE.address)
    replan(ledger, facts(to=people, now=LATE))
    replan(ledger, facts(PATCH, to=people, now=LATE))
    attempts = [take(ledger, LATE), take(ledger, LATE)]

    assert {attempt.recipient.address for attempt in attempts} == {"new@social.example", ALICE.address}
    assert {attempt.recipient_key: attempt.message_id == tried.message_id for attempt in attempts} == {
        ALICE.key: True,
        BOB.key: False,
    }


def test_row_gets_another_id_when_its_own_was_used_without_it(ledger: Ledger) -> None:
    """The one repeat with another id: its own was accepted without the row, and a receiver may drop it."""
    replan(ledger, facts(PATCH, MINOR))
    unrecorded = take(ledger)  # accepted, and the process died before it recorded that
    ledger.close_open_attempts(LATE)
    replan(ledger, facts(MINOR, now=LATE))
    rest = take(ledger, LATE)
    accept(ledger, rest, LATE)
    replan(ledger, facts(PATCH, MINOR, now=LATE))
    again = take(ledger, LATE)

    assert unrecorded.message_id == rest.message_id
    assert rest.identities == ("update/4.6.0/plain",)
    assert again.identities == ("update/4.5.1/plain",)
    assert again.message_id != unrecorded.message_id


def test_an_acceptance_wins_over_a_row_that_was_taken_up_again(ledger: Ledger) -> None:
    """Withdrawn and listed again as it was: the same message, which is done."""
    replan(ledger, facts(PATCH))
    slow = take(ledger)
    ledger.close_open_attempts(LATE)
    replan(ledger, facts(now=LATE))
    replan(ledger, facts(PATCH, now=LATE))
    accept(ledger, slow, LATE)

    assert find_attempt(ledger, LATE) is None
    assert ledger.summary(LATE).undelivered == 0


def test_row_that_an_attempt_did_not_carry_stays_unsent(ledger: Ledger) -> None:
    """It was cancelled before, and listed again since."""
    replan(ledger, facts(PATCH, MINOR))
    replan(ledger, facts(PATCH))
    attempt = take(ledger)
    replan(ledger, facts(PATCH, MINOR))
    accept(ledger, attempt)
    rest = take(ledger)

    assert rest.identities == ("update/4.6.0/plain",)
    assert attempt.message_id != rest.message_id


def test_a_row_that_came_back_too_late_for_its_message_is_not_lost(ledger: Ledger) -> None:
    """Tried with the row, then without; the row is listed again, and the second attempt is accepted: a new message."""
    replan(ledger, facts(PATCH, MINOR))
    take(ledger)
    ledger.close_open_attempts(LATE)
    replan(ledger, facts(PATCH, now=LATE))
    without = take(ledger, LATE)
    ledger.close_open_attempts(LATE)
    replan(ledger, facts(PATCH, MINOR, now=LATE))
    accept(ledger, without, LATE)
    assert ledger.summary(LATE).undelivered == 0
    replan(ledger, facts(PATCH, MINOR, now=LATE))

    assert take(ledger, LATE).identities == ("update/4.6.0/plain",)


def test_a_failure_of_a_closed_attempt_changes_nothing(ledger: Ledger, place: Location) -> None:
    """Neither the message, which is being sent again, nor the account of the sink, nor the attempt."""
    replan(ledger, facts(PATCH))
    slow = take(ledger)
    ledger.close_open_attempts(LATE)
    take(ledger, LATE)
    before = query(place, "SELECT * FROM message"), query(place, "SELECT * FROM delivery")
    refuse(ledger, slow, LATE, sink_wide=True)

    assert (query(place, "SELECT * FROM message"), query(place, "SELECT * FROM delivery")) == before
    assert ledger.summary(LATE).sinks == ()
    assert query(place, "SELECT number, outcome FROM attempt ORDER BY number") == [(1, "unknown"), (2, None)]


def test_a_refusal_is_counted_as_failed_until_it_is_accepted(ledger: Ledger) -> None:
    """Then its failures are forgotten."""
    replan(ledger, facts(PATCH))
    refuse(ledger, take(ledger))
    first = ledger.summary(NOW)
    accept(ledger, take(ledger, NOW + 7 * DAY), NOW + 7 * DAY)
    second = ledger.summary(NOW + 7 * DAY)

    assert (first.deferred, first.failed) == (0, 1)
    assert (second.deferred, second.failed) == (0, 0)
    assert states(ledger, PATCH) == {PLAIN: DeliveryState.SENT}
