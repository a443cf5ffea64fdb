"""Limits on deliveries: a sink that backs off or is stopped, and the number of mails a day."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from ledger.examples import (
    ALICE,
    BOB,
    DAY,
    HOOK,
    NOW,
    SECOND,
    SETTINGS,
    YEAR,
    accept,
    defer,
    facts,
    find_attempt,
    judge,
    refuse,
    replan,
    rows,
    start_deliveries,
    take,
    update,
)
from mastodon_update_check.domain.outbox import MAILS_A_DAY
from mastodon_update_check.ledger.attempts import Attempt
from mastodon_update_check.ledger.ledger import Ledger

PATCH = update("4.5.1")
MINOR = update("4.6.0")
URGENT = update("4.5.9", urgent=True)
CAROL = replace(BOB, key="user:3", address="carol@social.example")
RETRY = timedelta(seconds=5)


def test_a_sink_backs_off_as_a_whole(ledger: Ledger) -> None:
    """Its other messages wait as well, until the time is over; then failures are counted for the sink."""
    replan(ledger, facts(PATCH, to=(ALICE, BOB, HOOK)))
    defer(ledger, take(ledger), sink_wide=True)

    assert find_attempt(ledger, NOW + RETRY - SECOND) is None
    assert find_attempt(ledger, NOW, sink="webhook") is not None
    assert take(ledger, NOW + RETRY).sink_failures == 1


def test_a_success_ends_the_back_off(ledger: Ledger) -> None:
    """An attempt that began before the failure got through: the others may go, too."""
    replan(ledger, facts(PATCH, to=(ALICE, BOB, CAROL)))
    failing, working = take(ledger), take(ledger)
    defer(ledger, failing, sink_wide=True)
    assert find_attempt(ledger) is None
    accept(ledger, working)

    attempt = take(ledger)
    assert attempt.sink_failures == 0
    assert attempt.recipient_key != working.recipient_key


def test_changed_settings_end_the_back_off(ledger: Ledger) -> None:
    """An administrator who corrects a password does not wait for a day."""
    replan(ledger, facts(PATCH, to=(ALICE, BOB)))
    failing = take(ledger)
    defer(ledger, failing, sink_wide=True)

    assert find_attempt(ledger) is None
    assert failing.recipient_key != take(ledger, settings="corrected").recipient_key


def test_changed_settings_make_messages_due(ledger: Ledger) -> None:
    """They end the backoff of the sink and of its messages; the same settings, or another sink's, change nothing."""
    replan(ledger, facts(PATCH, to=(ALICE, BOB)))
    defer(ledger, take(ledger), sink_wide=True)
    later = ledger.next_due_at("email", NOW)
    assert later is not None
    assert later > NOW
    for sinks, due_at in (({"email": SETTINGS, "webhook": "new"}, later), ({"email": "corrected"}, NOW)):
        with ledger.writing() as transaction:
            transaction.hurry_changed(sinks, NOW)
        assert ledger.next_due_at("email", NOW) == due_at
    assert {take(ledger, settings="corrected").recipient_key for _ in range(2)} == {ALICE.key, BOB.key}


def test_changed_settings_do_not_restart_a_stopped_webhook(ledger: Ledger) -> None:
    """HTTP 410: only another URL makes the message due again."""
    replan(ledger, facts(PATCH, to=(HOOK,)))
    refuse(ledger, take(ledger, sink="webhook"), sink_wide=True)
    with ledger.writing() as transaction:
        transaction.hurry_changed({"webhook": "corrected"}, NOW)
    assert ledger.next_due_at("webhook", NOW) is None


def test_a_back_off_from_a_wrong_clock_is_over(ledger: Ledger) -> None:
    """It was written while the clock was a year ahead."""
    replan(ledger, facts(PATCH, to=(ALICE, BOB)))
    defer(ledger, take(ledger, NOW + YEAR), NOW + YEAR, sink_wide=True)

    assert find_attempt(ledger, NOW) is not None


def test_refused_address_does_not_make_the_sink_back_off(ledger: Ledger) -> None:
    """One bad address delays no other."""
    replan(ledger, facts(PATCH, to=(ALICE, BOB)))
    failing = take(ledger)
    defer(ledger, failing)

    assert failing.recipient_key != take(ledger).recipient_key


def test_a_message_that_breaks_its_sink_blocks_no_other(ledger: Ledger) -> None:
    """The server hangs up at each attempt at the urgent one: the others have their turn all the same."""
    replan(ledger, facts(PATCH, to=(ALICE, BOB)))
    replan(ledger, facts(PATCH, URGENT, to=(ALICE, BOB)))
    now, accepted = NOW, set[str]()
    for _ in range(8):
        attempt = find_attempt(ledger, now)
        if attempt is not None and attempt.recipient_key == "user:1" and "update/4.5.9/urgent" in attempt.identities:
            defer(ledger, attempt, now, sink_wide=True)
        elif attempt is not None:
            accept(ledger, attempt, now)
            accepted.add(f"{attempt.recipient_key} {attempt.identities[0]}")
        now += timedelta(minutes=10)

    assert accepted == {"user:1 update/4.5.1/plain", "user:2 update/4.5.1/plain", "user:2 update/4.5.9/urgent"}


def test_a_receiver_that_is_gone_is_left_alone_until_its_url_changes(ledger: Ledger) -> None:
    """HTTP 410: neither this message nor another one, not in a year, not with another secret."""
    replan(ledger, facts(PATCH, to=(HOOK,)))
    refuse(ledger, take(ledger, sink="webhook"), sink_wide=True)
    replan(ledger, facts(PATCH, MINOR, to=(HOOK,), now=NOW + DAY))
    start_deliveries(ledger, NOW + DAY, "secret-2")
    assert [find_attempt(ledger, now, sink="webhook", settings="secret-2") for now in (NOW + DAY, NOW + YEAR)] == [
        None,
        None,
    ]
    assert ledger.next_due_at("webhook", NOW + YEAR) is None
    assert ledger.summary(NOW).sinks[0].is_stopped

    moved = replace(HOOK, key="webhook:bbbb")
    replan(ledger, facts(PATCH, MINOR, to=(moved,), now=NOW + 2 * DAY))
    attempt = take(ledger, NOW + 2 * DAY, sink="webhook")
    assert (moved, ("update/4.5.1/plain", "update/4.6.0/plain")) == (attempt.recipient, attempt.identities)


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
    found = ledger.summary(now)
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
    assert ledger.summary(NOW).held_back == 0


def test_failures_do_not_count_towards_the_cap(ledger: Ledger) -> None:
    """Only accepted mails count."""
    replan(ledger, facts(PATCH))
    now = NOW
    for _ in range(MAILS_A_DAY + 1):
        attempt = take(ledger, now)
        defer(ledger, attempt, now)
        due_at = ledger.next_due_at("email", now)
        assert due_at is not None
        now = due_at

    assert find_attempt(ledger, now) is not None


def test_message_for_a_former_url_is_not_sent_to_the_new_one(ledger: Ledger) -> None:
    """A worker with the new URL leaves the message to the next check, so that nothing is repeated."""
    new = replace(HOOK, key="webhook:bbbb")
    replan(ledger, facts(PATCH, to=(HOOK,)))

    assert ledger.begin_attempt("webhook", "new", NOW, NOW, only_to=new.key) is None
    assert ledger.next_due_at("webhook", NOW, only_to=new.key) is None
    replan(ledger, facts(PATCH, to=(new,)))
    attempt = ledger.begin_attempt("webhook", "new", NOW, NOW, only_to=new.key)
    assert attempt is not None
    assert new.key == attempt.recipient_key
    replan(ledger, facts(PATCH, MINOR, to=(HOOK, new)))
    following = ledger.record_and_begin(attempt, judge(attempt, None, NOW), NOW, NOW, NOW, only_to=new.key)
    assert following is not None
    assert new.key == following.recipient_key
    assert ledger.record_and_begin(following, judge(following, None, NOW), NOW, NOW, NOW, only_to=new.key) is None


def test_a_stop_is_lifted_by_another_url_alone(ledger: Ledger) -> None:
    """With the same one it stays; with another it is forgotten, with the failing that came of it."""
    replan(ledger, facts(PATCH, to=(HOOK,)))
    refuse(ledger, take(ledger, sink="webhook"), sink_wide=True)
    found = []
    for recipient in (HOOK, ALICE, replace(HOOK, key="webhook:bbbb")):
        with ledger.writing() as transaction:
            transaction.lift_stops((recipient,))
        (sink,) = ledger.summary(NOW).sinks
        found.append((sink.is_stopped, sink.failing_since))

    assert found == [(True, NOW), (True, NOW), (False, None)]
