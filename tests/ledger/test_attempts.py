"""Attempts: written down before anything is sent; those of a dead process are closed by the next owner."""

from datetime import timedelta

import pytest

from ledger.examples import ALICE, BOB, DAY, NOW, SECOND, YEAR, facts, update
from ledger.locations import query
from ledger.steps import accept, defer, find_attempt, replan, states, take
from mastodon_update_check.domain.outbox import DELAYS, LONGEST_WAIT, DeliveryState
from mastodon_update_check.ledger.ledger import Ledger
from mastodon_update_check.ledger.location import Location

PATCH = update("4.5.1")
MINOR = update("4.6.0")


def attempts(place: Location) -> list[tuple[object, ...]]:
    """Return number and outcome of every attempt."""
    return query(place, "SELECT number, outcome FROM attempt ORDER BY number")


def test_two_threads_never_get_the_same_message(ledger: Ledger, other: Ledger) -> None:
    """The second one gets the next message, or none."""
    replan(ledger, facts(PATCH, to=(ALICE, BOB)))

    assert {take(ledger).recipient_key, take(other).recipient_key} == {"user:1", "user:2"}
    assert find_attempt(ledger) is None
    assert find_attempt(other) is None


def test_attempt_has_everything_needed_to_send(ledger: Ledger) -> None:
    """Recipient, notices, dates and numbers of failures."""
    stored = replan(ledger, facts(PATCH, MINOR))
    defer(ledger, take(ledger))
    later = NOW + 5 * SECOND
    attempt = take(ledger, later)

    assert stored.messages[0].id == attempt.message_id
    assert (ALICE, ALICE.key) == (attempt.recipient, attempt.recipient_key)
    assert tuple(one.notice for one in stored.messages[0].decisions) == attempt.notices
    assert attempt.identities == ("update/4.5.1/plain", "update/4.6.0/plain")
    assert (attempt.created_at, attempt.number, attempt.failures, attempt.sink_failures) == (NOW, 2, 1, 0)


@pytest.mark.parametrize(
    ("ahead", "is_due"), [(LONGEST_WAIT, False), (LONGEST_WAIT + timedelta(milliseconds=1), True), (YEAR, True)]
)
def test_a_due_time_from_a_wrong_clock_counts_as_due(
    ledger: Ledger, place: Location, ahead: timedelta, *, is_due: bool
) -> None:
    """Nothing can be put off for longer than the longest wait."""
    replan(ledger, facts(PATCH))
    query(place, "UPDATE message SET due_at = ?", (NOW + ahead).isoformat(timespec="milliseconds"))

    assert is_due == (find_attempt(ledger) is not None)


def test_a_failure_from_a_wrong_clock_delays_nothing(ledger: Ledger) -> None:
    """Deferred while the clock was a year ahead: due as soon as it is right again."""
    replan(ledger, facts(PATCH))
    defer(ledger, take(ledger, NOW + YEAR), NOW + YEAR, sink_wide=True)

    assert ledger.next_due_at("email", NOW) == NOW
    assert take(ledger, NOW).number == 2


def test_urgent_messages_go_first(ledger: Ledger) -> None:
    """Then the message with the earliest due time."""
    replan(ledger, facts(MINOR, to=(BOB,), now=NOW - SECOND))
    replan(ledger, facts(MINOR, to=(ALICE, BOB)))
    replan(ledger, facts(MINOR, update("4.5.1", urgent=True), to=(ALICE, BOB), now=NOW + SECOND))
    order = [take(ledger, NOW + SECOND) for _ in range(4)]

    assert ["urgent" in claim.identities[0] for claim in order] == [True, True, False, False]
    assert [claim.recipient_key for claim in order[2:]] == ["user:2", "user:1"]


def test_round_takes_only_messages_due_at_its_start(ledger: Ledger) -> None:
    """A message that fails in a round is not tried again in it."""
    replan(ledger, facts(PATCH))
    defer(ledger, take(ledger))
    later = NOW + SECOND * 60

    assert find_attempt(ledger, later, due_by=NOW) is None
    assert find_attempt(ledger, later, due_by=later) is not None


def test_an_attempt_of_a_dead_process_goes_out_again_with_its_id(ledger: Ledger, place: Location) -> None:
    """The next owner closes it as unknown; the message is due at once."""
    replan(ledger, facts(PATCH))
    dead = take(ledger)
    assert find_attempt(ledger) is None

    assert ledger.close_open_attempts(NOW + SECOND) == 1
    again = take(ledger, NOW + SECOND)
    assert (again.message_id, again.number, again.failures) == (dead.message_id, 2, 0)
    assert again.dated_at == NOW
    assert attempts(place) == [(1, "unknown"), (2, None)]
    assert ledger.close_open_attempts(NOW + SECOND) == 1
    assert take(ledger, NOW + 2 * SECOND).dated_at == NOW


def test_a_message_that_ends_its_process_waits(ledger: Ledger) -> None:
    """The second time in a row that the delivering child crashes at it, it waits as after a failure."""
    replan(ledger, facts(PATCH))
    take(ledger)
    ledger.close_open_attempts(NOW, has_crashed=True)
    take(ledger)
    ledger.close_open_attempts(NOW, has_crashed=True)

    assert find_attempt(ledger) is None
    assert take(ledger, NOW + 5 * SECOND).failures == 1


def test_messages_that_were_in_progress_at_a_crash_come_apart(ledger: Ledger) -> None:
    """Only one of them causes it: after the second crash each is tried alone."""
    replan(ledger, facts(PATCH, to=(ALICE, BOB)))
    for _ in range(2):
        take(ledger)
        take(ledger)
        ledger.close_open_attempts(NOW, has_crashed=True)

    first = take(ledger, NOW + 5 * SECOND)
    assert find_attempt(ledger, NOW + 5 * SECOND) is None
    assert take(ledger, NOW + 15 * SECOND).message_id != first.message_id


URGENT = update("4.5.1", urgent=True)
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
