"""Limits on deliveries: a sink that backs off or is stopped, and the number of mails a day."""

from dataclasses import replace
from datetime import timedelta

from ledger.examples import ALICE, BOB, DAY, HOOK, NOW, SECOND, SETTINGS, SINKS, YEAR, facts, update
from ledger.steps import accept, defer, find_attempt, judge, refuse, replan, start_deliveries, take
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
    assert ledger.summary(NOW, SINKS).sinks[0].is_stopped

    moved = replace(HOOK, key="webhook:bbbb")
    replan(ledger, facts(PATCH, MINOR, to=(moved,), now=NOW + 2 * DAY))
    attempt = take(ledger, NOW + 2 * DAY, sink="webhook")
    assert (attempt.recipient, attempt.identities) == (moved, ("update/4.5.1/plain", "update/4.6.0/plain"))


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
        (sink,) = ledger.summary(NOW, SINKS).sinks
        found.append((sink.is_stopped, sink.failing_since))

    assert found == [(True, NOW), (True, NOW), (False, None)]
