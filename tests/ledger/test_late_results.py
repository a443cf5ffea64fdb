"""Results that come late: of processes that were taken for dead, of plans that have changed meanwhile."""

from dataclasses import replace

from ledger.examples import ALICE, BOB, DAY, NOW, SECOND, SINKS, facts, update
from ledger.locations import query
from ledger.steps import accept, defer, find_attempt, refuse, replan, states, take
from mastodon_update_check.domain.outbox import DeliveryState
from mastodon_update_check.domain.planning.facts import Facts
from mastodon_update_check.domain.recipients import Recipient, address_key
from mastodon_update_check.ledger.attempts import Attempt
from mastodon_update_check.ledger.ledger import Ledger
from mastodon_update_check.ledger.location import Location

PATCH = update("4.5.1")
URGENT = update("4.5.1", urgent=True)
MINOR = update("4.6.0")
PLAIN = ("user:1", "update/4.5.1/plain")
LATE = NOW + 10 * SECOND
"""When the next owner closes what a dead process left open."""


def interrupt(ledger: Ledger, known: Facts) -> Attempt:
    """Return an attempt at what was planned, which the next owner has closed."""
    replan(ledger, known)
    attempt = take(ledger)
    ledger.close_open_attempts(LATE)
    return attempt


def test_an_acceptance_after_a_cancellation_wins(ledger: Ledger) -> None:
    """Withdrawn while a frozen process sent it: it counts as sent, and is not repeated when it is listed again."""
    attempt = interrupt(ledger, facts(PATCH))
    replan(ledger, facts(now=LATE))
    assert states(ledger, PATCH) == {PLAIN: DeliveryState.CANCELLED}
    accept(ledger, attempt, LATE)

    assert states(ledger, PATCH) == {PLAIN: DeliveryState.SENT}
    assert replan(ledger, facts(PATCH, now=LATE)).messages == ()
    assert find_attempt(ledger, LATE) is None


def test_an_acceptance_wins_over_the_attempt_that_followed(ledger: Ledger) -> None:
    """A failure of the second attempt changes nothing any more."""
    slow = interrupt(ledger, facts(PATCH))
    again = take(ledger, LATE)
    accept(ledger, slow, LATE)
    defer(ledger, again, LATE)

    assert states(ledger, PATCH) == {PLAIN: DeliveryState.SENT}
    assert find_attempt(ledger, LATE + DAY) is None


def test_a_row_that_may_have_arrived_returns_to_its_message(ledger: Ledger) -> None:
    """A row of a former attempt is listed again: a repeat has the same id, and a late acceptance ends it."""
    slow = interrupt(ledger, facts(PATCH, MINOR))
    replan(ledger, facts(now=LATE))
    replan(ledger, facts(PATCH, now=LATE))
    again = take(ledger, LATE)
    accept(ledger, slow, LATE)
    defer(ledger, again, LATE)

    assert (again.message_id, again.identities) == (slow.message_id, ("update/4.5.1/plain",))
    assert find_attempt(ledger, LATE + DAY) is None
    assert ledger.summary(LATE, SINKS).undelivered == 0


def test_a_row_that_may_have_arrived_under_another_key_returns_to_its_message(ledger: Ledger) -> None:
    """An address that has become a user's meanwhile is still the same person's: a repeat has the same id."""
    named = Recipient(sink="email", key=address_key(ALICE.address), address=ALICE.address)
    slow = interrupt(ledger, facts(PATCH, MINOR, to=(named,)))
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
    assert ledger.summary(LATE, SINKS).undelivered == 0


def test_an_acceptance_of_a_covered_message_is_recorded(ledger: Ledger) -> None:
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
    tried = interrupt(ledger, facts(PATCH, to=(ALICE,)))
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
    unrecorded = interrupt(ledger, facts(PATCH, MINOR))  # accepted, and the process died before it recorded that
    replan(ledger, facts(MINOR, now=LATE))
    rest = take(ledger, LATE)
    accept(ledger, rest, LATE)
    replan(ledger, facts(PATCH, MINOR, now=LATE))
    again = take(ledger, LATE)

    assert unrecorded.message_id == rest.message_id
    assert rest.identities == ("update/4.6.0/plain",)
    assert again.identities == ("update/4.5.1/plain",)
    assert again.message_id != unrecorded.message_id
    accept(ledger, unrecorded, LATE)  # that process was not dead: the row counts as sent, under either id
    ledger.close_open_attempts(LATE)
    assert set(states(ledger, PATCH, MINOR).values()) == {DeliveryState.SENT}
    assert find_attempt(ledger, LATE + DAY) is None


def test_an_acceptance_wins_over_a_row_that_was_taken_up_again(ledger: Ledger) -> None:
    """Withdrawn and listed again as it was: the same message, which is done."""
    slow = interrupt(ledger, facts(PATCH))
    replan(ledger, facts(now=LATE))
    replan(ledger, facts(PATCH, now=LATE))
    accept(ledger, slow, LATE)

    assert find_attempt(ledger, LATE) is None
    assert ledger.summary(LATE, SINKS).undelivered == 0


def test_a_row_that_came_back_too_late_for_its_message_is_not_lost(ledger: Ledger) -> None:
    """Tried with the row, then without; the row is listed again, and the second attempt is accepted: a new message."""
    interrupt(ledger, facts(PATCH, MINOR))
    replan(ledger, facts(PATCH, now=LATE))
    without = take(ledger, LATE)
    ledger.close_open_attempts(LATE)
    replan(ledger, facts(PATCH, MINOR, now=LATE))
    accept(ledger, without, LATE)
    assert ledger.summary(LATE, SINKS).undelivered == 0
    replan(ledger, facts(PATCH, MINOR, now=LATE))

    assert take(ledger, LATE).identities == ("update/4.6.0/plain",)


def test_a_failure_of_a_closed_attempt_changes_nothing(ledger: Ledger, place: Location) -> None:
    """Neither the message, which is being sent again, nor the account of the sink, nor the attempt."""
    slow = interrupt(ledger, facts(PATCH))
    take(ledger, LATE)
    before = query(place, "SELECT * FROM message"), query(place, "SELECT * FROM delivery")
    refuse(ledger, slow, LATE, sink_wide=True)

    assert (query(place, "SELECT * FROM message"), query(place, "SELECT * FROM delivery")) == before
    assert ledger.summary(LATE, SINKS).sinks == ()
    assert query(place, "SELECT number, outcome FROM attempt ORDER BY number") == [(1, "unknown"), (2, None)]
