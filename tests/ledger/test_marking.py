"""Mark pending notices as sent without sending them."""

from ledger.examples import ALICE, BOB, DAY, NOW, SECOND, SINKS, facts, update
from ledger.locations import query
from ledger.steps import accept, defer, find_attempt, replan, states, take
from mastodon_update_check.domain.outbox import MAILS_A_DAY, DeliveryState
from mastodon_update_check.ledger.ledger import Ledger
from mastodon_update_check.ledger.location import Location

PATCH = update("4.5.1")


def mark(ledger: Ledger) -> int:
    """Mark everything of the instance."""
    with ledger.writing() as transaction:
        return transaction.mark_notified(NOW)


def test_marked_notices_are_never_sent(ledger: Ledger, place: Location) -> None:
    """Marked notices, also deferred ones, are never sent and never planned again."""
    replan(ledger, facts(PATCH, to=(ALICE, BOB)))
    defer(ledger, take(ledger))
    assert mark(ledger) == 2
    assert set(states(ledger, PATCH).values()) == {DeliveryState.SENT}
    assert query(place, "SELECT DISTINCT reason FROM delivery") == [("marked_at_setup",)]
    assert find_attempt(ledger, NOW + DAY) is None
    assert replan(ledger, facts(PATCH, to=(ALICE, BOB))).messages == ()
    assert ledger.summary(NOW, SINKS).undelivered == 0


def test_later_notices_are_sent(ledger: Ledger) -> None:
    """A newer release, a release that turns urgent and a new recipient are notified as usual."""
    replan(ledger, facts(PATCH))
    mark(ledger)
    urgent = update("4.5.1", urgent=True)
    later = (facts(PATCH, update("4.5.2")), facts(urgent), facts(urgent, to=(BOB,)))
    assert [len(replan(ledger, known).messages) for known in later] == [1, 1, 1]


def test_marked_mails_do_not_count_towards_the_limit(ledger: Ledger) -> None:
    """Marked mails do not count towards the limit of a day."""
    for number in range(MAILS_A_DAY):
        replan(ledger, facts(*(update(f"4.5.{patch}") for patch in range(1, number + 2))))
        mark(ledger)
    replan(ledger, facts(update("4.6.0")))
    assert find_attempt(ledger) is not None


def test_message_that_is_being_sent_is_not_marked(ledger: Ledger) -> None:
    """The attempt in progress records its own result."""
    replan(ledger, facts(PATCH, to=(ALICE, BOB)))
    attempt = take(ledger)
    assert mark(ledger) == 1
    accept(ledger, attempt, NOW + SECOND)
    assert set(states(ledger, PATCH).values()) == {DeliveryState.SENT}
