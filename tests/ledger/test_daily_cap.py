"""The number of mails a recipient gets a day: urgent ones go first, and the others wait visibly."""

from datetime import datetime

import pytest

from ledger.examples import ALICE, BOB, DAY, HOOK, NOW, SECOND, SINKS, YEAR, facts, update
from ledger.steps import accept, find_attempt, replan, rows, take
from mastodon_update_check.domain.outbox import MAILS_A_DAY
from mastodon_update_check.ledger.attempts import Attempt
from mastodon_update_check.ledger.ledger import Ledger

PATCH = update("4.5.1")
URGENT = update("4.5.9", urgent=True)


def send_mails(ledger: Ledger, count: int, now: datetime = NOW) -> list[Attempt]:
    """Plan and deliver `count` messages to Alice, one release each."""
    attempts = []
    for number in range(1, count + 1):
        replan(ledger, facts(*(update(f"4.6.{patch}") for patch in range(1, number + 1)), now=now))
        attempt = take(ledger, now)
        accept(ledger, attempt, now)
        attempts.append(attempt)
    return attempts


def waiting(ledger: Ledger, now: datetime) -> tuple[int, int]:
    """Return how many messages wait, and how many of them for a new day."""
    found = ledger.summary(now, SINKS)
    return found.deferred, found.held_back


def test_six_mails_a_day(ledger: Ledger) -> None:
    """The seventh waits until the first is a day old, and is counted as held back till then."""
    send_mails(ledger, MAILS_A_DAY)
    replan(ledger, facts(PATCH, to=(ALICE,)))
    before, after = NOW + DAY - SECOND, NOW + DAY

    assert find_attempt(ledger, before) is None
    assert waiting(ledger, before) == (1, 1)
    assert ledger.next_due_at("email", before) is None
    assert waiting(ledger, after) == (1, 0)
    assert find_attempt(ledger, after) is not None


def test_the_cap_lets_urgent_mail_go_first(ledger: Ledger) -> None:
    """The last one of the day is the urgent one, though it was planned last."""
    send_mails(ledger, MAILS_A_DAY - 1)
    replan(ledger, facts(PATCH))
    replan(ledger, facts(PATCH, URGENT))
    attempt = take(ledger)
    accept(ledger, attempt)

    assert attempt.identities == ("update/4.5.9/urgent",)
    assert find_attempt(ledger) is None


def test_the_cap_is_each_recipients_own(ledger: Ledger) -> None:
    """Another person, and another sink, are unaffected."""
    send_mails(ledger, MAILS_A_DAY)
    replan(ledger, facts(PATCH, to=(ALICE, BOB)))

    assert take(ledger).recipient_key == "user:2"
    assert find_attempt(ledger) is None


def test_the_cap_is_for_mail_alone(ledger: Ledger) -> None:
    """A webhook gets every message."""
    for number in range(1, MAILS_A_DAY + 3):
        replan(ledger, facts(*(update(f"4.6.{patch}") for patch in range(1, number + 1)), to=(HOOK,)))
        accept(ledger, take(ledger, sink="webhook"))

    assert len(rows(ledger, *[f"update/4.6.{patch}" for patch in range(1, 9)])) == MAILS_A_DAY + 2


@pytest.mark.parametrize("sent_at", [NOW + YEAR, NOW - DAY])
def test_the_cap_counts_the_last_day_only(ledger: Ledger, sent_at: datetime) -> None:
    """Mails of yesterday do not count, nor those sent while the clock was a year ahead."""
    send_mails(ledger, MAILS_A_DAY, sent_at)
    replan(ledger, facts(PATCH))

    assert find_attempt(ledger) is not None
    assert ledger.summary(NOW, SINKS).held_back == 0
