"""Results of attempts: an acceptance always counts; a failure counts only while the attempt is open."""

from ledger.examples import ALICE, BOB, DAY, NOW, SECOND, facts, update
from ledger.locations import query
from ledger.steps import accept, defer, find_attempt, replan, states, take
from mastodon_update_check.domain.outbox import DELAYS, DeliveryState
from mastodon_update_check.ledger.ledger import Ledger
from mastodon_update_check.ledger.location import Location

PATCH = update("4.5.1")
URGENT = update("4.5.1", urgent=True)
MINOR = update("4.6.0")
PLAIN = ("user:1", "update/4.5.1/plain")


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
