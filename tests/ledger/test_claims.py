"""Claims: never two senders for one message; what a dead process or a wrong clock left is free."""

import threading
from dataclasses import replace
from datetime import timedelta

import pytest

from ledger.examples import (
    ALICE,
    BOB,
    HOOK,
    LEASE_OVER,
    NOW,
    SECOND,
    YEAR,
    accept,
    defer,
    facts,
    find_claim,
    replan,
    take,
    update,
)
from ledger.places import query
from mastodon_update_check.domain.outbox import LEASE, LONGEST_WAIT
from mastodon_update_check.ledger.engine import Place
from mastodon_update_check.ledger.ledger import Ledger

PATCH = update("4.5.1")
MINOR = update("4.6.0")
MILLISECOND = timedelta(milliseconds=1)


def attempts(place: Place) -> list[tuple[object, ...]]:
    """Return number and outcome of every attempt."""
    return query(place, "SELECT number, outcome FROM attempt ORDER BY number")


def test_two_connections_never_get_the_same_message(ledger: Ledger, other: Ledger) -> None:
    """The second one gets the next message, or none."""
    replan(ledger, facts(PATCH, to=(ALICE, BOB)))

    assert {"user:1", "user:2"} == {take(ledger).recipient_key, take(other).recipient_key}
    assert find_claim(ledger) is None
    assert find_claim(other) is None


def test_many_threads_share_the_messages_out(ledger: Ledger, place: Place) -> None:
    """Claimed at the same time from connections of their own, each message goes to exactly one."""
    people = [replace(ALICE, key=f"user:{number}", address=f"{number}@social.example") for number in range(40)]
    replan(ledger, facts(PATCH, to=people))
    taken: list[str] = []

    def work() -> None:
        with Ledger.open(place) as own:
            while (claim := find_claim(own)) is not None:
                taken.append(claim.recipient_key)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(person.key for person in people) == sorted(taken)


def test_what_was_sent_is_not_claimed(ledger: Ledger) -> None:
    """Not now and not in years."""
    replan(ledger, facts(PATCH))
    accept(ledger, take(ledger))

    assert [None, None] == [find_claim(ledger, now) for now in (NOW, NOW + 9 * YEAR)]


def test_a_claim_holds_everything_that_it_takes_to_send(ledger: Ledger) -> None:
    """Who, what, since when, and how often it has failed."""
    stored = replan(ledger, facts(PATCH, MINOR))
    defer(ledger, take(ledger))
    later = NOW + 5 * SECOND
    claim = take(ledger, later)

    assert stored.messages[0].id == claim.message_id
    assert (ALICE, ALICE.key) == (claim.recipient, claim.recipient_key)
    assert tuple(one.notice for one in stored.messages[0].decisions) == claim.notices
    assert ("update/4.5.1/plain", "update/4.6.0/plain") == claim.identities
    assert (NOW, 2, 1, 0) == (claim.created_at, claim.attempt, claim.failures, claim.sink_failures)


def test_a_lease_runs_out_after_ten_seconds(ledger: Ledger, other: Ledger, place: Place) -> None:
    """What a dead process had in hand is free then, and nobody knows what came of its attempt."""
    replan(ledger, facts(PATCH))
    dead = take(ledger)
    assert find_claim(other, NOW + LEASE - MILLISECOND) is None
    heir = take(other, NOW + LEASE)

    assert (dead.message_id, 2) == (heir.message_id, heir.attempt)
    assert [(1, "unknown"), (2, None)] == attempts(place)
    assert not ledger.renew(dead, NOW + LEASE)
    assert other.renew(heir, NOW + LEASE)


def test_a_renewed_lease_runs_on(ledger: Ledger, other: Ledger) -> None:
    """From the renewal it is ten seconds again."""
    replan(ledger, facts(PATCH))
    claim = take(ledger)
    assert ledger.renew(claim, NOW + 9 * SECOND)

    assert find_claim(other, NOW + 18 * SECOND) is None
    assert take(other, NOW + 19 * SECOND).message_id == claim.message_id


def test_a_lease_that_ran_out_can_be_renewed_while_nobody_else_took_it(ledger: Ledger, other: Ledger) -> None:
    """A process that was frozen goes on where it was, if it still may."""
    replan(ledger, facts(PATCH))
    claim = take(ledger)
    assert ledger.renew(claim, NOW + YEAR)

    assert find_claim(other, NOW + YEAR) is None


def test_a_lease_from_a_wrong_clock_is_free(ledger: Ledger, other: Ledger) -> None:
    """A process whose clock was a year ahead claimed it and died."""
    replan(ledger, facts(PATCH))
    take(ledger, NOW + YEAR)

    assert 2 == take(other, NOW).attempt


FAR: list[tuple[str, timedelta, bool]] = [
    ("the longest wait that there is", LONGEST_WAIT, False),
    ("a moment more", LONGEST_WAIT + MILLISECOND, True),
    ("a year", YEAR, True),
]


@pytest.mark.parametrize(("sentence", "ahead", "is_due"), FAR, ids=[row[0] for row in FAR])
def test_a_due_time_from_a_wrong_clock_counts_as_due(
    ledger: Ledger, place: Place, sentence: str, ahead: timedelta, *, is_due: bool
) -> None:
    """Nothing can be put off for longer than the longest wait."""
    del sentence
    replan(ledger, facts(PATCH))
    query(place, "UPDATE message SET due_at = ?", (NOW + ahead).isoformat(timespec="milliseconds"))

    assert is_due == (find_claim(ledger) is not None)


def test_a_failure_from_a_wrong_clock_delays_nothing(ledger: Ledger) -> None:
    """Deferred while the clock was a year ahead: due as soon as it is right again."""
    replan(ledger, facts(PATCH))
    defer(ledger, take(ledger, NOW + YEAR), NOW + YEAR, sink_wide=True)

    assert 2 == take(ledger, NOW).attempt


def test_urgent_messages_go_first(ledger: Ledger) -> None:
    """Then what has been due for longest."""
    replan(ledger, facts(MINOR, to=(BOB,), now=NOW - SECOND))
    replan(ledger, facts(MINOR, to=(ALICE, BOB)))
    replan(ledger, facts(MINOR, update("4.5.1", urgent=True), to=(ALICE, BOB), now=NOW + SECOND))
    order = [take(ledger, NOW + SECOND) for _ in range(4)]

    assert [True, True, False, False] == ["urgent" in claim.identities[0] for claim in order]
    assert ["user:2", "user:1"] == [claim.recipient_key for claim in order[2:]]


def test_a_round_takes_only_what_was_due_when_it_began(ledger: Ledger) -> None:
    """What fails in a round is not tried twice in it, whatever the time is then."""
    replan(ledger, facts(PATCH))
    defer(ledger, take(ledger))
    later = NOW + SECOND * 60

    assert find_claim(ledger, later, due_by=NOW) is None
    assert find_claim(ledger, later, due_by=later) is not None


def test_each_sink_has_its_own_messages(ledger: Ledger) -> None:
    """Nothing of the mail's goes to the webhook."""
    replan(ledger, facts(PATCH, to=(ALICE, HOOK)))

    assert ("user:1", "webhook:aaaa") == (take(ledger).recipient_key, take(ledger, sink="webhook").recipient_key)


def test_a_released_message_is_due_at_once(ledger: Ledger, other: Ledger, place: Place) -> None:
    """Its attempt was cut short: nobody knows what came of it."""
    replan(ledger, facts(PATCH))
    claim = take(ledger)
    ledger.release(claim, NOW + SECOND)
    again = take(other, NOW + SECOND)

    assert (claim.message_id, 0) == (again.message_id, again.failures)
    assert [(1, "unknown"), (2, None)] == attempts(place)


def test_what_somebody_else_holds_cannot_be_released(ledger: Ledger, other: Ledger, place: Place) -> None:
    """A late release must not take the message out of its new owner's hands."""
    replan(ledger, facts(PATCH))
    late = take(ledger)
    owner = take(other, NOW + LEASE_OVER)
    accepted = (1, "unknown")
    ledger.release(late, NOW + LEASE_OVER)

    assert other.renew(owner, NOW + LEASE_OVER)
    assert [accepted, (2, None)] == attempts(place)


def test_a_release_after_the_result_changes_nothing(ledger: Ledger, place: Place) -> None:
    """What came of the attempt is known already."""
    replan(ledger, facts(PATCH))
    claim = take(ledger)
    accept(ledger, claim)
    ledger.release(claim, NOW + SECOND)

    assert [(1, "sent")] == attempts(place)
    assert find_claim(ledger, NOW + SECOND) is None
