"""The history for `explain`, and retrying for `retry`."""

from dataclasses import replace

import pytest

from ledger.examples import ALICE, BOB, DAY, HOOK, NOW, SECOND, SINKS, facts, update
from ledger.steps import accept, defer, find_attempt, hurry, refuse, replan, take
from mastodon_update_check.domain.outbox import DeliveryState, Outcome
from mastodon_update_check.ledger.ledger import Ledger

RELEASE = update("4.5.20")
SUBJECT = "update/4.5.20"


@pytest.fixture
def notified(ledger: Ledger) -> Ledger:
    """Return a ledger in which Alice was notified at the second attempt, and Bob not yet."""
    replan(ledger, facts(RELEASE, to=(ALICE,)))
    defer(ledger, take(ledger))
    accept(ledger, take(ledger, NOW + 6 * SECOND), NOW + 7 * SECOND)
    replan(ledger, facts(RELEASE, to=(ALICE, BOB), now=NOW + DAY))
    return ledger


def retry(ledger: Ledger, *sinks: str, is_started: bool = False) -> int:
    """Make everything that is not delivered due."""
    messages = {entry.message_id for entry in ledger.history(is_undelivered=True)}
    return hurry(ledger, messages, sinks, NOW + SECOND, is_started=is_started)


def test_of_a_release(notified: Ledger) -> None:
    """Each recipient has a row with its reason, its times, and every attempt with the reply."""
    alice, bob = notified.history(subject=SUBJECT)
    assert [(each.number, each.outcome, each.reply) for each in alice.attempts] == [
        (1, Outcome.DEFERRED, "busy"),
        (2, Outcome.SENT, "accepted"),
    ]
    assert (alice.state, alice.planned_at, alice.settled_at) == (DeliveryState.SENT, NOW, NOW + 7 * SECOND)
    assert (bob.recipient.name, bob.state, bob.attempts) == ("bob", DeliveryState.PENDING, ())
    assert alice.reason == "patch_update"
    assert [entry.recipient_key for entry in notified.history(recipient_keys=[BOB.key])] == ["user:2"]


def test_attempts_without_the_row_are_not_its_own(ledger: Ledger) -> None:
    """An attempt belongs to the rows that it carried, not to all of its message."""
    replan(ledger, facts(RELEASE, update("4.5.21")))
    defer(ledger, take(ledger))
    replan(ledger, facts(RELEASE, now=NOW + SECOND))
    accept(ledger, take(ledger, NOW + DAY), NOW + DAY)
    attempts = {entry.identity: len(entry.attempts) for entry in ledger.history()}
    assert attempts == {"update/4.5.20/plain": 2, "update/4.5.21/plain": 1}


def test_known_recipients(notified: Ledger) -> None:
    """A recipient who has moved is known by both addresses."""
    moved = replace(BOB, address="bob@elsewhere.example")
    replan(notified, facts(RELEASE, to=(ALICE, moved), now=NOW + DAY))
    accept(notified, take(notified, NOW + DAY), NOW + DAY)
    replan(
        notified, facts(RELEASE, update("4.5.21"), to=(ALICE, replace(moved, address="b@x.example")), now=NOW + 2 * DAY)
    )
    known = {each.recipient.name: sorted(each.addresses) for each in notified.known_recipients()}
    assert known == {"alice": ["alice@social.example"], "bob": ["b@x.example", "bob@elsewhere.example"]}


def test_deferred_and_refused_are_due_at_once(ledger: Ledger) -> None:
    """Messages are due now with their backoff reset, and the backoff of the sink ends."""
    replan(ledger, facts(RELEASE, to=(ALICE, BOB)))
    refuse(ledger, take(ledger))
    defer(ledger, take(ledger), sink_wide=True)
    assert find_attempt(ledger, NOW + SECOND) is None
    assert retry(ledger, "email") == 2
    (account,) = ledger.summary(NOW, SINKS).sinks
    assert (account.failing_since, account.retry_at) == (NOW, None)  # a retry is not a success
    attempts = [take(ledger, NOW + SECOND), take(ledger, NOW + SECOND)]
    assert [(one.number, one.failures, one.sink_failures) for one in attempts] == [(2, 0, 0), (2, 0, 0)]


def test_retry_changes_no_message_that_is_being_sent_or_sent(notified: Ledger) -> None:
    """A retry repeats nothing."""
    take(notified, NOW + DAY)
    entries = notified.history()
    assert [entry.is_being_sent for entry in entries] == [False, True]
    assert hurry(notified, {entry.message_id for entry in entries}, ["email"]) == 0


def test_a_stopped_webhook(ledger: Ledger) -> None:
    """A message to a stopped receiver is marked, and is retried only on explicit request."""
    replan(ledger, facts(RELEASE, to=(HOOK,)))
    refuse(ledger, take(ledger, sink="webhook"), sink_wide=True)
    replan(ledger, facts(RELEASE, update("4.5.21"), to=(HOOK,), now=NOW + SECOND))
    entries = ledger.history(is_undelivered=True)
    assert [entry.is_stopped for entry in entries] == [True, True]
    retry(ledger, "webhook")
    assert find_attempt(ledger, NOW + 2 * SECOND, sink="webhook") is None
    retry(ledger, "webhook", is_started=True)
    assert take(ledger, NOW + 2 * SECOND, sink="webhook").number == 2
