"""Plans in the ledger: stored whole, taken up again under the same id, never undoing what was told."""

from dataclasses import replace

import pytest

from ledger.examples import (
    ALICE,
    BOB,
    DAY,
    HOOK,
    INSTANCE,
    LEASE_OVER,
    NOW,
    SECOND,
    accept,
    defer,
    facts,
    find_claim,
    refuse,
    replan,
    states,
    take,
    update,
)
from ledger.places import query
from mastodon_update_check.domain.notices import RestartNotice
from mastodon_update_check.domain.outbox import DeliveryState
from mastodon_update_check.domain.planning import plan
from mastodon_update_check.domain.server_state import ServerState
from mastodon_update_check.domain.versions import MastodonVersion
from mastodon_update_check.ledger.engine import Place
from mastodon_update_check.ledger.ledger import Ledger

PATCH = update("4.5.1")
URGENT_PATCH = update("4.5.1", urgent=True)
MINOR = update("4.6.0")
LATER = NOW + DAY


def test_a_plan_is_stored_in_one_transaction(ledger: Ledger, other: Ledger) -> None:
    """Whatever breaks before its end, nothing of it is there; nobody sees it before it is whole."""
    known = facts(PATCH, MINOR, to=(ALICE, BOB))

    def break_off() -> None:
        with ledger.writing() as book:
            book.apply(INSTANCE, plan(known, ()))
            book.keep_knowledge(INSTANCE, ServerState(failures=3), NOW)
            assert {} == states(other, PATCH, MINOR)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        break_off()
    assert {} == states(ledger, PATCH, MINOR)
    assert ServerState() == ledger.knowledge(INSTANCE)
    assert () == ledger.instances()


def test_planning_again_stores_nothing_new(ledger: Ledger) -> None:
    """A second check with the same answer finds everybody told, or about to be."""
    first = replan(ledger, facts(PATCH, MINOR, to=(ALICE, BOB)))
    second = replan(ledger, facts(PATCH, MINOR, to=(ALICE, BOB), now=LATER))

    assert 2 == len(first.messages)
    assert () == second.messages


def test_a_cancelled_message_is_taken_up_again(ledger: Ledger) -> None:
    """The same rows are the same message: it keeps its id and its date, and is due at once."""
    replan(ledger, facts(PATCH, MINOR))
    first = take(ledger)
    defer(ledger, first)
    replan(ledger, facts())
    assert find_claim(ledger, LATER) is None
    replan(ledger, facts(PATCH, MINOR, now=LATER))
    again = take(ledger, LATER)

    assert (first.message_id, first.identities, NOW) == (again.message_id, again.identities, again.created_at)
    assert 2 == again.attempt
    assert 0 == again.failures


def test_a_cancelled_row_in_another_company_is_another_message(ledger: Ledger, place: Place) -> None:
    """A receiver drops what carries an id that it knows: other rows need another id."""
    replan(ledger, facts(PATCH))
    replan(ledger, facts())
    replan(ledger, facts(PATCH, MINOR, now=LATER))
    claim = take(ledger, LATER)

    assert ("update/4.5.1/plain", "update/4.6.0/plain") == claim.identities
    assert LATER == claim.created_at
    assert [("cancelled",), ("pending",)] == query(place, "SELECT state FROM message ORDER BY created_at")


def test_a_row_cancelled_meanwhile_is_left_out(ledger: Ledger) -> None:
    """A release that was withdrawn before it was sent is not told; the other one is, under the same id."""
    stored = replan(ledger, facts(PATCH, MINOR))
    replan(ledger, facts(MINOR, now=LATER))
    claim = take(ledger, LATER)

    assert (stored.messages[0].id, ("update/4.6.0/plain",)) == (claim.message_id, claim.identities)
    assert ["4.6.0"] == [str(notice.version) for notice in claim.notices if hasattr(notice, "version")]


def test_a_message_without_rows_is_not_sent(ledger: Ledger) -> None:
    """Nothing is left to say, and nothing waits."""
    replan(ledger, facts(PATCH, MINOR))
    replan(ledger, facts(MINOR))
    replan(ledger, facts())

    assert find_claim(ledger) is None
    assert 0 == ledger.summary(INSTANCE, NOW).undelivered


def test_an_urgent_row_supersedes_a_pending_plain_one(ledger: Ledger) -> None:
    """The recipient is told once, and that it is urgent."""
    replan(ledger, facts(PATCH))
    replan(ledger, facts(URGENT_PATCH))
    claim = take(ledger)
    accept(ledger, claim)

    assert ("update/4.5.1/urgent",) == claim.identities
    assert find_claim(ledger) is None
    assert {
        ("user:1", "update/4.5.1/plain"): DeliveryState.SUPERSEDED,
        ("user:1", "update/4.5.1/urgent"): DeliveryState.SENT,
    } == states(ledger, PATCH)


def test_a_message_in_somebodys_hands_is_not_changed(ledger: Ledger) -> None:
    """A withdrawal while it is being sent comes too late; once the lease is over it counts."""
    replan(ledger, facts(PATCH))
    claim = take(ledger)
    replan(ledger, facts())
    assert ledger.renew(claim, NOW + SECOND)

    replan(ledger, facts(now=NOW + SECOND + LEASE_OVER))
    assert not ledger.renew(claim, NOW + SECOND + LEASE_OVER)


def test_mail_goes_to_the_present_address(ledger: Ledger) -> None:
    """A user's new address is taken over by what is waiting, under the same id."""
    stored = replan(ledger, facts(PATCH))
    moved = replace(ALICE, address="alice@elsewhere.example")
    replan(ledger, facts(PATCH, to=(moved,)))
    claim = take(ledger)
    accept(ledger, claim)

    assert (stored.messages[0].id, moved) == (claim.message_id, claim.recipient)
    assert ["alice@elsewhere.example"] == [row.address for row in ledger.deliveries(INSTANCE, ["update/4.5.1"], NOW)]


def test_a_permanent_refusal_is_tried_again_after_a_week(ledger: Ledger) -> None:
    """As nothing about it has changed, not before, however often it is planned."""
    replan(ledger, facts(PATCH))
    refuse(ledger, take(ledger))
    replan(ledger, facts(PATCH, now=LATER))
    assert {("user:1", "update/4.5.1/plain"): DeliveryState.FAILED} == states(ledger, PATCH)
    assert find_claim(ledger, NOW + 7 * DAY - SECOND) is None

    assert 2 == take(ledger, NOW + 7 * DAY).attempt


@pytest.mark.parametrize("changed", ["address", "settings"])
def test_a_permanent_refusal_is_tried_again_when_something_changes(ledger: Ledger, changed: str) -> None:
    """A new address, or other settings of the sink, may be accepted: at once, and once."""
    replan(ledger, facts(PATCH))
    refuse(ledger, take(ledger))
    to = replace(ALICE, address="new@social.example") if changed == "address" else ALICE
    settings = "fingerprint-2" if changed == "settings" else "fingerprint-1"
    replan(ledger, facts(PATCH, to=(to,), settings=settings, now=LATER))
    claim = take(ledger, LATER, settings=settings)
    refuse(ledger, claim, LATER)
    replan(ledger, facts(PATCH, to=(to,), settings=settings, now=LATER + SECOND))

    assert (2, to.address) == (claim.attempt, claim.recipient.address)
    assert find_claim(ledger, LATER + SECOND, settings=settings) is None


def test_a_renamed_webhook_gets_what_was_waiting(ledger: Ledger) -> None:
    """The key is the URL's: under its new name the same place gets the same message, and the old name none."""
    renamed = replace(HOOK, sink="webhook.ops")
    stored = replan(ledger, facts(PATCH, to=(HOOK,)))
    replan(ledger, facts(PATCH, to=(renamed, replace(HOOK, key="webhook:bbbb")), now=LATER))
    claim = take(ledger, LATER, sink="webhook.ops")
    accept(ledger, claim, LATER)

    assert (stored.messages[0].id, renamed) == (claim.message_id, claim.recipient)
    assert "webhook:bbbb" == take(ledger, LATER, sink="webhook").recipient_key


def test_what_was_sent_stays_sent_whatever_is_planned(ledger: Ledger, place: Place) -> None:
    """A plan that was made without knowing the rows, as by an older version, tells nobody twice."""
    replan(ledger, facts(PATCH))
    accept(ledger, take(ledger))
    blind = plan(facts(PATCH, now=LATER), ())
    together = plan(facts(PATCH, MINOR, now=LATER), ())
    with ledger.writing() as book:
        book.apply(INSTANCE, blind)
    assert [("sent",)] == query(place, "SELECT state FROM message")
    with ledger.writing() as book:
        book.apply(INSTANCE, together)
    claim = take(ledger, LATER)
    accept(ledger, claim, LATER)

    assert ("update/4.6.0/plain",) == claim.identities
    assert find_claim(ledger, LATER) is None
    assert {DeliveryState.SENT} == set(states(ledger, PATCH, MINOR).values())


def test_a_plan_of_nothing_but_what_was_sent_leaves_no_message(ledger: Ledger) -> None:
    """Two messages told it apart; planned together it would be a message without rows."""
    for release in (PATCH, MINOR):
        replan(ledger, facts(release))
        accept(ledger, take(ledger))
    with ledger.writing() as book:
        book.apply(INSTANCE, plan(facts(PATCH, MINOR, now=LATER), ()))

    assert find_claim(ledger, LATER) is None
    assert 0 == ledger.summary(INSTANCE, LATER).undelivered


def test_two_instances_on_one_ledger_do_not_see_each_other(ledger: Ledger) -> None:
    """Each has its own knowledge, rows, messages and sinks, down to the ids."""
    there = "other.example"
    mine = replan(ledger, facts(PATCH))
    theirs = replan(ledger, facts(PATCH, instance=there))
    claim = take(ledger)
    defer(ledger, claim, sink_wide=True)
    other_claim = find_claim(ledger, instance=there)
    assert other_claim is not None
    accept(ledger, other_claim)
    replan(ledger, facts(instance=there, now=LATER))

    assert mine.messages[0].id != theirs.messages[0].id
    assert (1, 0) == tuple(ledger.summary(name, NOW).undelivered for name in (INSTANCE, there))
    assert (1, None) == tuple(
        None if ledger.next_due_at(name, "email", NOW) is None else 1 for name in (INSTANCE, there)
    )
    assert [True, False] == [ledger.summary(name, NOW).sinks[0].failing_since == NOW for name in (INSTANCE, there)]
    assert [DeliveryState.PENDING] == [row.state for row in ledger.deliveries(INSTANCE, ["update/4.5.1"], NOW)]


def test_a_tool_notice_is_a_message_of_its_own(ledger: Ledger) -> None:
    """It comes back from the ledger as it went in."""
    restart = RestartNotice(tree=MastodonVersion.parse("4.5.1"), running=MastodonVersion.parse("4.5.0"))
    replan(ledger, facts(PATCH, tool_notices=(restart,)))
    first, second = take(ledger), take(ledger)

    assert [(restart,)] == [claim.notices for claim in (first, second) if len(claim.notices) == 1][-1:]
    assert {("update/4.5.1/plain",), ("restart/4.5.1/4.5.0",)} == {first.identities, second.identities}


def test_a_recipient_with_fields_of_another_version_can_be_read(ledger: Ledger, place: Place) -> None:
    """After a downgrade of this program what is waiting is still sent."""
    replan(ledger, facts(PATCH))
    query(place, "UPDATE message SET recipient = replace(recipient, '{', '{\"pronouns\": \"they\", ')")

    assert ALICE == take(ledger).recipient


def test_knowledge_comes_back_as_it_was_kept(ledger: Ledger) -> None:
    """Each instance has its own; a sign of life leaves it alone, and it the sign of life."""
    known = ServerState(good_at=NOW, installed=MastodonVersion.parse("4.5.0"), updates=(PATCH,), warnings=("a", "b"))
    ledger.beat(INSTANCE, NOW)
    with ledger.writing() as book:
        book.keep_knowledge(INSTANCE, known, NOW)
        assert known == book.knowledge(INSTANCE)
    ledger.beat(INSTANCE, LATER)

    assert known == ledger.knowledge(INSTANCE)
    assert ServerState() == ledger.knowledge("other.example")
    assert (INSTANCE,) == ledger.instances()
    assert LATER == ledger.last_beat_at(INSTANCE)
    assert ledger.last_beat_at("other.example") is None


def test_a_fingerprint_is_salted(ledger: Ledger, place: Place) -> None:
    """The same text is the same for one ledger; nobody can look it up in another."""
    first = ledger.fingerprint("password")
    query(place, "UPDATE meta SET value = 'other' WHERE key = 'salt'")

    assert 16 == len(first)
    assert first != ledger.fingerprint("password")
    assert ledger.fingerprint("a") != ledger.fingerprint("b")
