"""Sequences of checks: recipients, their preferences and addresses, and sinks that come and go."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from domain.examples import cases, facts, feed, hook, minor, named, patch, user
from domain.rows import Rows, Step, changed, planned, play
from mastodon_update_check.domain.outbox import DeliveryState
from mastodon_update_check.domain.recipients import Preference, Recipient

_, CRITICAL, PATCH, ALL = Preference
ANN, BEN = user(1), user(2)
PLAIN = patch("4.5.20")
PLAIN_ID = "update/4.5.20/plain"
ONE, TWO = feed(PLAIN), feed(PLAIN, minor("4.6.9"))
TWIN, HEIR = named("USER1@SOCIAL.EXAMPLE"), replace(ANN, address=BEN.address)
OLD_HOOK, NEW_HOOK = hook("webhook"), hook("webhook.ops")
OF_ANN, OF_BEN = f"user:1 {PLAIN_ID}", f"user:2 {PLAIN_ID}"
OF_HOOK, OF_OTHER_HOOK = f"webhook:1 {PLAIN_ID}", f"webhook:2 {PLAIN_ID}"
MINOR = "user:1 update/4.6.9/plain"
PLANNED: Step = (facts(ANN, answer=ONE), f"{OF_ANN} patch_update")
BOTH: Step = (facts(ANN, BEN, answer=ONE), f"{OF_ANN} patch_update", f"{OF_BEN} patch_update")
MOVED = facts(user(1, address="b@social.example"), user(2, address="a@social.example"), answer=ONE)

SEQUENCES: dict[str, list[Step]] = {
    "a raised preference": [
        *((facts(user(preference=CRITICAL), answer=TWO),),),
        *((facts(user(preference=PATCH), answer=TWO), f"{OF_ANN} patch_update"), "send"),
        (facts(user(preference=ALL), answer=TWO), f"{MINOR} any_update"),
    ],
    "a preference that is lowered and raised again": [
        (facts(ANN, answer=TWO), f"{OF_ANN} patch_update", f"{MINOR} any_update"),
        (facts(user(preference=PATCH), answer=TWO), f"-{MINOR} preference_lowered"),
        (facts(ANN, answer=TWO), f"{MINOR} any_update"),
    ],
    "a new administrator": [PLANNED, "send", (facts(ANN, BEN, answer=ONE), f"{OF_BEN} patch_update")],
    "a recipient who goes and is back": [
        *(BOTH, (facts(ANN, answer=ONE), f"-{OF_BEN} recipient_gone")),
        (facts(ANN, BEN, answer=ONE), f"{OF_BEN} patch_update"),
    ],
    "an empty answer": [BOTH, (facts(answer=ONE),)],
    "recipients who could not be asked for": [BOTH, (facts(unasked=["email"], answer=ONE),)],
    "the address of a former recipient is taken over by one who was notified": [
        *(PLANNED, "send", (facts(ANN, BEN, answer=ONE), f"{OF_BEN} patch_update"), "refuse"),
        *((facts(HEIR, answer=ONE), f"-{OF_BEN} covered"), (facts(HEIR, answer=ONE),)),
    ],
    "the same, while the notice waits": [
        *(PLANNED, (facts(ANN, BEN, answer=ONE), f"{OF_BEN} patch_update"), "refuse"),
        *((facts(HEIR, answer=ONE), f"-{OF_BEN} covered"), (facts(HEIR, answer=ONE),)),
    ],
    "another user takes over the former address of a user": [
        (facts(user(1, address="a@social.example"), answer=ONE), f"{OF_ANN} patch_update"),
        *((MOVED, f"{OF_BEN} patch_update"), (MOVED,)),
    ],
    "two recipients with one address: the first who wants it": [
        (
            facts(user(preference=PATCH), TWIN, answer=TWO),
            f"{OF_ANN} patch_update",
            f"{TWIN.key} update/4.6.9/plain any_update",
        ),
        (facts(TWIN, ANN, answer=TWO),),
    ],
    "a webhook is its URL, under any name": [
        (facts(OLD_HOOK, NEW_HOOK, answer=ONE, sinks=["webhook", "webhook.ops"]), f"{OF_HOOK} patch_update"),
        *("send", (facts(NEW_HOOK, answer=ONE, sinks=["webhook.ops"]),)),
    ],
    "a new URL is a new recipient": [
        (facts(hook(key="webhook:1"), answer=ONE), f"{OF_HOOK} patch_update"),
        (facts(hook(key="webhook:2"), answer=ONE), f"-{OF_HOOK} recipient_gone", f"{OF_OTHER_HOOK} patch_update"),
    ],
    "a sink that is removed and put back: another process may have it": [
        (facts(ANN, hook(), answer=ONE), f"{OF_ANN} patch_update", f"{OF_HOOK} patch_update"),
        *((facts(ANN, answer=ONE, sinks=["email"]),), (facts(ANN, hook(), answer=ONE),)),
        (facts(ANN, answer=feed(), sinks=["email"]), f"-{OF_ANN} withdrawn", f"-{OF_HOOK} withdrawn"),
    ],
    "a message that is being sent": [
        *(PLANNED, "claim", (facts(ANN, answer=feed()),), (facts(ANN, installed="4.5.20"),)),
        (facts(BEN, answer=ONE, installed="4.5.20"),),
        (facts(replace(ANN, address="new@social.example"), answer=ONE),),
    ],
}


@pytest.mark.parametrize("steps", SEQUENCES.values(), ids=SEQUENCES)
def test_sequences(steps: Sequence[Step]) -> None:
    """Each recipient gets a notice once, at the present address, while it is wanted."""
    play(steps)


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


def test_pending_webhook_under_another_name() -> None:
    """A pending message of the old name is planned under the new one, with the same id."""
    rows, answer = Rows(), feed(PLAIN)
    first = rows.plan(facts(hook("webhook"), answer=answer, sinks=["webhook"]))
    made = rows.plan(facts(hook("webhook.ops"), answer=answer, sinks=["webhook.ops"]))
    assert changed(made) == [("webhook:1", PLAIN_ID, "recipient_gone")]
    assert [("webhook.ops", first.messages[0].id)] == [(one.recipient.sink, one.id) for one in made.messages]


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
