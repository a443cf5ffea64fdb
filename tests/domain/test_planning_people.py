"""Sequences of plans: recipients, their wishes and addresses, and sinks that come and go."""

from dataclasses import replace

import pytest

from domain.examples import cases, facts, feed, hook, minor, named, patch, user
from domain.rows import Rows, changed, planned
from mastodon_update_check.domain.outbox import DeliveryState
from mastodon_update_check.domain.recipients import Preference, Recipient

_, CRITICAL, PATCH, ALL = Preference
ANN, BEN = user(1), user(2)
PLAIN = patch("4.5.20")
PLAIN_ID = "update/4.5.20/plain"


def test_preference_raised() -> None:
    """After a raised preference the next check plans the notices that are true now."""
    rows, answer = Rows(), feed(PLAIN, minor("4.6.9"))
    assert planned(rows.plan(facts(user(preference=CRITICAL), answer=answer))) == []
    assert planned(rows.plan(facts(user(preference=PATCH), answer=answer))) == [(ANN.key, PLAIN_ID, "patch_update")]
    rows.send()
    made = rows.plan(facts(user(preference=ALL), answer=answer))
    assert planned(made) == [(ANN.key, "update/4.6.9/plain", "any_update")]


def test_preference_lowered_and_raised_again() -> None:
    """A notice that is not wanted any more is cancelled, and planned again when it is."""
    rows, answer = Rows(), feed(PLAIN, minor("4.6.9"))
    rows.plan(facts(ANN, answer=answer))
    lowered = rows.plan(facts(user(preference=PATCH), answer=answer))
    assert (changed(lowered), planned(lowered)) == ([(ANN.key, "update/4.6.9/plain", "preference_lowered")], [])
    assert planned(rows.plan(facts(ANN, answer=answer))) == [(ANN.key, "update/4.6.9/plain", "any_update")]


def test_new_administrator() -> None:
    """A new recipient is notified of everything that is still true."""
    rows = Rows()
    rows.plan(facts(ANN, answer=feed(PLAIN)))
    rows.send()
    assert planned(rows.plan(facts(ANN, BEN, answer=feed(PLAIN)))) == [(BEN.key, PLAIN_ID, "patch_update")]


def test_recipient_gone_and_back() -> None:
    """A recipient who is gone gets nothing; on return it is planned again."""
    rows, answer = Rows(), feed(PLAIN)
    rows.plan(facts(ANN, BEN, answer=answer))
    assert changed(rows.plan(facts(ANN, answer=answer))) == [(BEN.key, PLAIN_ID, "recipient_gone")]
    assert planned(rows.plan(facts(ANN, BEN, answer=answer))) == [(BEN.key, PLAIN_ID, "patch_update")]


@pytest.mark.parametrize("known", [facts(answer=feed(PLAIN)), facts(unasked=["email"], answer=feed(PLAIN))])
def test_recipients_unasked(known: object) -> None:
    """Without an answer, or with an empty one, no recipient counts as gone: their messages stay."""
    rows = Rows()
    rows.plan(facts(ANN, BEN, answer=feed(PLAIN)))
    made = rows.plan(known)  # type: ignore[arg-type] # a parameter
    assert (changed(made), planned(made), made.redirections) == ([], [], ())


@cases(
    "now",
    ("the same user at another address", replace(ANN, address="new@social.example")),
    ("the same address as another user", replace(ANN, key="user:7")),
    ("the same address by the settings", named("USER1@social.example")),
)
def test_same_person(now: Recipient) -> None:
    """The same user id or address is the same person: notified once, at the present address."""
    rows, answer = Rows(), feed(PLAIN)
    rows.plan(facts(ANN, answer=answer))
    made = rows.plan(facts(now, answer=answer))
    assert (planned(made), changed(made), [one.recipient for one in made.redirections]) == ([], [], [now])
    rows.send()
    assert planned(rows.plan(facts(now, answer=answer))) == []


@pytest.mark.parametrize("is_notified", [True, False])
def test_address_of_a_former_recipient_is_taken_over(is_notified: bool) -> None:  # noqa: FBT001 - a parameter
    """A waiting message of the former owner does not go to the new owner, who has the notice already."""
    rows, answer = Rows(), feed(PLAIN)
    rows.plan(facts(ANN, answer=answer))
    if is_notified:
        rows.send()
    rows.plan(facts(ANN, BEN, answer=answer))
    rows.refuse()
    heir = replace(ANN, address=BEN.address)
    made = rows.plan(facts(heir, answer=answer))
    assert (changed(made), planned(made)) == ([(BEN.key, PLAIN_ID, "covered")], [])
    assert (changed(again := rows.plan(facts(heir, answer=answer))), planned(again)) == ([], [])


def test_two_recipients_with_one_address() -> None:
    """One address is one person: notified once, by the first entry that wants it."""
    twin = named("USER1@SOCIAL.EXAMPLE")
    rows, answer = Rows(), feed(PLAIN, minor("4.6.9"))
    made = rows.plan(facts(user(preference=PATCH), twin, answer=answer))
    assert planned(made) == [(ANN.key, PLAIN_ID, "patch_update"), (twin.key, "update/4.6.9/plain", "any_update")]
    assert planned(rows.plan(facts(twin, ANN, answer=answer))) == []


def test_same_webhook_under_another_name() -> None:
    """A webhook is its URL: another name, or a second one, does not repeat the notice."""
    rows, answer = Rows(), feed(PLAIN)
    old, new = hook("webhook"), hook("webhook.ops")
    both = rows.plan(facts(old, new, answer=answer, sinks=["webhook", "webhook.ops"]))
    assert planned(both) == [("webhook:1", PLAIN_ID, "patch_update")]
    rows.send()
    assert planned(rows.plan(facts(new, answer=answer, sinks=["webhook.ops"]))) == []


def test_pending_webhook_under_another_name() -> None:
    """A pending message of the old name is planned under the new one, with the same id."""
    rows, answer = Rows(), feed(PLAIN)
    first = rows.plan(facts(hook("webhook"), answer=answer, sinks=["webhook"]))
    made = rows.plan(facts(hook("webhook.ops"), answer=answer, sinks=["webhook.ops"]))
    assert changed(made) == [("webhook:1", PLAIN_ID, "recipient_gone")]
    assert [("webhook.ops", first.messages[0].id)] == [(one.recipient.sink, one.id) for one in made.messages]


def test_new_webhook_url() -> None:
    """A new URL is a new recipient and gets the pending notices; the old one gets nothing more."""
    rows, answer = Rows(), feed(PLAIN)
    rows.plan(facts(hook(key="webhook:1"), answer=answer))
    made = rows.plan(facts(hook(key="webhook:2"), answer=answer))
    assert changed(made) == [("webhook:1", PLAIN_ID, "recipient_gone")]
    assert planned(made) == [("webhook:2", PLAIN_ID, "patch_update")]


def test_sink_removed_and_put_back() -> None:
    """A message for a sink that is not configured keeps waiting: another process may have that sink."""
    rows, answer = Rows(), feed(PLAIN)
    both = facts(ANN, hook(), answer=answer)
    rows.plan(both)
    without = rows.plan(facts(ANN, answer=answer, sinks=["email"]))
    assert (changed(without), planned(without)) == ([], [])
    assert planned(rows.plan(both)) == []
    withdrawn = rows.plan(facts(ANN, answer=feed(), sinks=["email"]))
    assert set(changed(withdrawn)) == {(ANN.key, PLAIN_ID, "withdrawn"), ("webhook:1", PLAIN_ID, "withdrawn")}


@cases(
    "now is_hurried",
    ("nothing is different: it waits", ANN, False),
    ("another role is not a reason", replace(ANN, role="Owner"), False),
    ("the address was corrected", replace(ANN, address="right@social.example"), True),
)
def test_change_after_a_refusal(now: Recipient, *, is_hurried: bool) -> None:
    """A refused message is due at once when its address is corrected, and only once; for settings see the ledger."""
    rows, answer = Rows(), feed(PLAIN)
    rows.plan(facts(ANN, answer=answer))
    assert [one.is_hurried for one in rows.plan(facts(ANN, answer=answer)).redirections] == [False]
    rows.refuse()
    made = rows.plan(facts(now, answer=answer))
    assert [(now, is_hurried)] == [(one.recipient, one.is_hurried) for one in made.redirections]
    assert [one.is_hurried for one in rows.plan(facts(now, answer=answer)).redirections] == [False]


def test_receiver_that_is_gone_is_not_hurried() -> None:
    """HTTP 410: only another URL wakes a webhook up."""
    rows, answer = Rows(), feed(PLAIN)
    rows.plan(facts(hook(), answer=answer))
    rows.refuse()
    rows.set(DeliveryState.FAILED, is_stopped=True)
    made = rows.plan(facts(hook(), answer=answer))
    assert [one.is_hurried for one in made.redirections] == [False]


def test_redirection_is_one_per_message() -> None:
    """The rows of one message are redirected together."""
    rows, answer = Rows(), feed(PLAIN, minor("4.6.9"))
    made = rows.plan(facts(ANN, answer=answer))
    again = rows.plan(facts(ANN, answer=answer))
    assert [made.messages[0].id] == [one.message_id for one in again.redirections]


def test_claimed_rows_are_left_alone() -> None:
    """A message that is being sent is not changed, and nothing is planned twice."""
    rows = Rows()
    rows.plan(facts(ANN, answer=feed(PLAIN)))
    rows.claim()
    for known in (
        facts(ANN, answer=feed()),
        facts(ANN, installed="4.5.20"),
        facts(BEN, answer=feed(PLAIN), installed="4.5.20"),
        facts(replace(ANN, address="new@social.example"), answer=feed(PLAIN)),
    ):
        made = rows.plan(known)
        assert (changed(made), planned(made), made.redirections) == ([], [], ())


def test_address_that_another_user_takes_over() -> None:
    """A user whose former address belongs to another one now keeps the message; the other one is planned at once."""
    rows = Rows()
    rows.plan(facts(user(1, address="a@social.example"), answer=feed(PLAIN)))
    moved = facts(user(1, address="b@social.example"), user(2, address="a@social.example"), answer=feed(PLAIN))
    first, second = rows.plan(moved), rows.plan(moved)
    assert (planned(first), changed(first)) == ([(BEN.key, PLAIN_ID, "patch_update")], [])
    assert (planned(second), changed(second)) == ([], [])
