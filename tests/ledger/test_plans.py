"""Plans in the ledger: stored whole, reopened under the same id, never undoing sent rows."""

from dataclasses import replace

import pytest

from ledger.examples import ALICE, BOB, DAY, HOOK, INSTANCE, NOW, SECOND, SINKS, facts, update
from ledger.locations import query
from ledger.steps import accept, defer, find_attempt, refuse, replan, rows, start_deliveries, states, take
from mastodon_update_check.domain.outbox import DeliveryState
from mastodon_update_check.domain.planning.plan import plan
from mastodon_update_check.domain.server.state import ServerState
from mastodon_update_check.domain.versions import MastodonVersion
from mastodon_update_check.ledger.ledger import Ledger
from mastodon_update_check.ledger.location import Location

PATCH = update("4.5.1")
URGENT_PATCH = update("4.5.1", urgent=True)
MINOR = update("4.6.0")
LATER = NOW + DAY


def test_a_plan_is_stored_in_one_transaction(ledger: Ledger, other: Ledger) -> None:
    """An error before its end leaves nothing, and no process sees a part of it."""
    known = facts(PATCH, MINOR, to=(ALICE, BOB))

    def break_off() -> None:
        with ledger.writing() as transaction:
            transaction.apply(plan(known, ()))
            transaction.keep_state(ServerState(failures=3), NOW)
            assert states(other, PATCH, MINOR) == {}
            raise RuntimeError

    with pytest.raises(RuntimeError):
        break_off()
    assert states(ledger, PATCH, MINOR) == {}
    assert ledger.state() == ServerState()
    assert ledger.instances() == ()


def test_a_cancelled_message_is_taken_up_again(ledger: Ledger) -> None:
    """The same rows are the same message: it keeps its id and its date, and is due at once."""
    replan(ledger, facts(PATCH, MINOR))
    first = take(ledger)
    defer(ledger, first)
    replan(ledger, facts())
    assert find_attempt(ledger, LATER) is None
    replan(ledger, facts(PATCH, MINOR, now=LATER))
    again = take(ledger, LATER)

    assert (first.message_id, first.identities, NOW) == (again.message_id, again.identities, again.created_at)
    assert again.number == 2
    assert again.failures == 0


def test_a_row_cancelled_meanwhile_is_left_out(ledger: Ledger) -> None:
    """A release that is withdrawn before it is sent is left out; the other one is sent, under the same id."""
    stored = replan(ledger, facts(PATCH, MINOR))
    replan(ledger, facts(MINOR, now=LATER))
    attempt = take(ledger, LATER)

    assert (stored.messages[0].id, ("update/4.6.0/plain",)) == (attempt.message_id, attempt.identities)
    assert [str(notice.version) for notice in attempt.notices if hasattr(notice, "version")] == ["4.6.0"]


def test_an_urgent_row_supersedes_a_pending_plain_one(ledger: Ledger) -> None:
    """The recipient gets one message, the urgent one."""
    replan(ledger, facts(PATCH))
    replan(ledger, facts(URGENT_PATCH))
    attempt = take(ledger)
    accept(ledger, attempt)

    assert attempt.identities == ("update/4.5.1/urgent",)
    assert find_attempt(ledger) is None
    assert states(ledger, PATCH) == {
        ("user:1", "update/4.5.1/plain"): DeliveryState.SUPERSEDED,
        ("user:1", "update/4.5.1/urgent"): DeliveryState.SENT,
    }


def test_a_message_that_is_being_sent_is_not_changed(ledger: Ledger) -> None:
    """A withdrawal meanwhile comes too late; once the attempt of a dead process is closed, it counts."""
    replan(ledger, facts(PATCH))
    take(ledger)
    assert replan(ledger, facts()).changes == ()
    ledger.close_open_attempts(NOW)
    replan(ledger, facts())

    assert states(ledger, PATCH) == {("user:1", "update/4.5.1/plain"): DeliveryState.CANCELLED}


def test_mail_goes_to_the_present_address(ledger: Ledger) -> None:
    """Pending messages take over a user's new address, under the same id."""
    stored = replan(ledger, facts(PATCH))
    moved = replace(ALICE, address="alice@elsewhere.example")
    replan(ledger, facts(PATCH, to=(moved,)))
    attempt = take(ledger)
    accept(ledger, attempt)

    assert (stored.messages[0].id, moved) == (attempt.message_id, attempt.recipient)
    assert [row.address for row in rows(ledger, *["update/4.5.1"])] == ["alice@elsewhere.example"]


def test_a_permanent_refusal_is_tried_again_after_a_week(ledger: Ledger) -> None:
    """As nothing about it has changed, not before, however often it is planned."""
    replan(ledger, facts(PATCH))
    refuse(ledger, take(ledger))
    replan(ledger, facts(PATCH, now=LATER))
    assert states(ledger, PATCH) == {("user:1", "update/4.5.1/plain"): DeliveryState.FAILED}
    assert find_attempt(ledger, NOW + 7 * DAY - SECOND) is None

    assert take(ledger, NOW + 7 * DAY).number == 2


@pytest.mark.parametrize("changed", ["address", "settings"])
def test_a_permanent_refusal_is_tried_again_when_something_changes(ledger: Ledger, changed: str) -> None:
    """A new address, or other settings of the sink, may be accepted: at once, and once."""
    replan(ledger, facts(PATCH))
    refuse(ledger, take(ledger))
    to = replace(ALICE, address="new@social.example") if changed == "address" else ALICE
    settings = "fingerprint-2" if changed == "settings" else "fingerprint-1"
    replan(ledger, facts(PATCH, to=(to,), now=LATER))
    start_deliveries(ledger, LATER, settings)
    attempt = take(ledger, LATER, settings=settings)
    refuse(ledger, attempt, LATER)
    replan(ledger, facts(PATCH, to=(to,), now=LATER + SECOND))
    start_deliveries(ledger, LATER + SECOND, settings)

    assert (2, to.address) == (attempt.number, attempt.recipient.address)
    assert find_attempt(ledger, LATER + SECOND, settings=settings) is None


def test_renamed_webhook_gets_its_pending_messages(ledger: Ledger) -> None:
    """The key is the URL's: under its new name the same place gets the same message, and the old name none."""
    renamed = replace(HOOK, sink="webhook.ops")
    stored = replan(ledger, facts(PATCH, to=(HOOK,)))
    replan(ledger, facts(PATCH, to=(renamed, replace(HOOK, key="webhook:bbbb")), now=LATER))
    attempt = take(ledger, LATER, sink="webhook.ops")
    accept(ledger, attempt, LATER)

    assert (stored.messages[0].id, renamed) == (attempt.message_id, attempt.recipient)
    assert take(ledger, LATER, sink="webhook").recipient_key == "webhook:bbbb"


def test_sent_rows_stay_sent_under_any_plan(ledger: Ledger, place: Location) -> None:
    """A plan made without the rows, as by an older version, repeats nothing."""
    replan(ledger, facts(PATCH))
    accept(ledger, take(ledger))
    blind = plan(facts(PATCH, now=LATER), ())
    together = plan(facts(PATCH, MINOR, now=LATER), ())
    with ledger.writing() as transaction:
        transaction.apply(blind)
    assert query(place, "SELECT state FROM message") == [("sent",)]
    with ledger.writing() as transaction:
        transaction.apply(together)
    attempt = take(ledger, LATER)
    accept(ledger, attempt, LATER)

    assert attempt.identities == ("update/4.6.0/plain",)
    assert find_attempt(ledger, LATER) is None
    assert set(states(ledger, PATCH, MINOR).values()) == {DeliveryState.SENT}


def test_a_plan_of_sent_rows_leaves_no_message(ledger: Ledger) -> None:
    """Rows that were sent one by one, planned together, would make a message without rows."""
    for release in (PATCH, MINOR):
        replan(ledger, facts(release))
        accept(ledger, take(ledger))
    with ledger.writing() as transaction:
        transaction.apply(plan(facts(PATCH, MINOR, now=LATER), ()))

    assert find_attempt(ledger, LATER) is None
    assert ledger.summary(LATER, SINKS).undelivered == 0


def test_two_instances_on_one_ledger_do_not_see_each_other(ledger: Ledger, place: Location) -> None:
    """Each has its own state, rows, messages and sinks, down to the ids."""
    with Ledger.open(place, "other.example") as there:
        mine = replan(ledger, facts(PATCH))
        assert find_attempt(there) is None
        theirs = replan(there, facts(PATCH, instance="other.example"))
        assert mine.messages[0].id != theirs.messages[0].id
        defer(ledger, take(ledger), sink_wide=True)
        attempt = take(there)
        assert ledger.close_open_attempts(NOW) == 0
        accept(there, attempt)
        replan(there, facts(instance="other.example", now=LATER))
        with there.writing() as transaction:
            assert transaction.mark_notified(NOW) == 0

        assert [each.summary(NOW, SINKS).undelivered for each in (ledger, there)] == [1, 0]
        assert [each.next_due_at("email", NOW) is None for each in (ledger, there)] == [False, True]
        assert [each.summary(NOW, SINKS).sinks[0].failing_since for each in (ledger, there)] == [NOW, None]
        assert [len(each.history()) for each in (ledger, there)] == [1, 1]
    assert [row.state for row in rows(ledger, "update/4.5.1")] == [DeliveryState.PENDING]


def test_the_state_comes_back_as_it_was_kept(ledger: Ledger, place: Location) -> None:
    """Each instance has its own."""
    known = ServerState(good_at=NOW, installed=MastodonVersion.parse("4.5.0"), updates=(PATCH,), warnings=("a", "b"))
    with ledger.writing() as transaction:
        transaction.keep_state(known, NOW)
        assert transaction.state() == known

    assert ledger.state() == known
    assert ledger.instances() == (INSTANCE,)
    with Ledger.open(place, "other.example") as there:
        assert there.state() == ServerState()


def test_a_fingerprint_is_salted(ledger: Ledger, place: Location) -> None:
    """The same text has the same fingerprint in one ledger, and another one elsewhere."""
    first = ledger.fingerprint("password")
    query(place, "UPDATE meta SET value = 'other' WHERE key = 'salt'")

    assert len(first) == 16
    assert first != ledger.fingerprint("password")
    assert ledger.fingerprint("a") != ledger.fingerprint("b")
