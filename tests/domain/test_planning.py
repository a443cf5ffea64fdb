"""Planning, one check at a time: the planned notices and the changed rows.

Each sequence plans, keeps the plan in a list of rows, lets something happen, and plans again.
"""

from datetime import date

from domain.examples import INSTANCE, facts, feed, hook, minor, patch, update, user
from domain.rows import Rows, changed, planned
from domain.tool_notices import CHECK, RESTART
from mastodon_update_check.domain.feeds import Feed, parse_feed
from mastodon_update_check.domain.planning.plan import message_id, subjects
from mastodon_update_check.domain.recipients import Preference, Reason, Recipient

NONE, CRITICAL, PATCH, ALL = Preference
ANN, BEN = user(1), user(2)
PLAIN = patch("4.5.20")
PLAIN_ID, URGENT_ID = "update/4.5.20/plain", "update/4.5.20/urgent"


def fixture_answer(*versions: str, urgent: bool = False) -> Feed:
    """Return the answer of Mastodon's own tests (docs/MASTODON.md, Update check)."""
    types = {"4.2.1": "patch", "4.3.0": "minor", "5.0.0": "minor"}
    return parse_feed(
        {"updatesAvailable": [{"version": text, "type": types[text], "urgent": urgent} for text in versions]}
    )


def staff() -> tuple[Recipient, ...]:
    """Return the users of Mastodon's own tests, except the one without a role, who is not a recipient."""
    preferences = (ALL, NONE, PATCH, CRITICAL)
    return tuple(user(number, preference) for number, preference in enumerate(preferences, 1))


def test_case_1_no_answer_keeps_newer_releases() -> None:
    """Case 1: after a 404 what is installed is given up, what is still newer stays."""
    rows = Rows()
    rows.plan(facts(ANN, installed="3.4.0", answer=feed(minor("3.5.0"), minor("42.13.12"))))
    made = rows.plan(facts(ANN, installed="4.2.0", answer=None))
    assert changed(made) == [(ANN.key, "update/3.5.0/plain", "installed")]


def test_case_2_unlisted_releases_are_cancelled() -> None:
    """Case 2: the rows are those that are listed now; Mastodon deletes the others, here they are cancelled."""
    rows = Rows()
    rows.plan(facts(ANN, installed="4.2.0", answer=feed(minor("42.13.12"))))
    rows.plan(facts(ANN, installed="4.2.0", answer=fixture_answer("4.2.1", "4.3.0", "5.0.0")))
    open_now = sorted(row.identity for row in rows.rows.values() if row.is_open)
    assert open_now == ["update/4.2.1/plain", "update/4.3.0/plain", "update/5.0.0/plain"]


def test_case_3_ordinary_updates() -> None:
    """Case 3: one message to the owner and one to the patch-user. Ours lists for each what that one asked for.

    Mastodon's mail to the patch-user lists the minor releases too, since it decides by all new releases at once;
    here they are named in the letter as what else is out.
    """
    made = Rows().plan(facts(*staff(), installed="4.2.0", answer=fixture_answer("4.2.1", "4.3.0", "5.0.0")))
    assert planned(made) == [
        ("user:1", "update/4.2.1/plain", "patch_update"),
        ("user:1", "update/4.3.0/plain", "any_update"),
        ("user:1", "update/5.0.0/plain", "any_update"),
        ("user:3", "update/4.2.1/plain", "patch_update"),
    ]
    assert len(made.messages) == 2


def test_case_4_an_urgent_update() -> None:
    """Case 4: owner, patch-user and critical-user get an urgent release once each, before other messages."""
    made = Rows().plan(facts(*staff(), installed="4.2.0", answer=fixture_answer("5.0.0", urgent=True)))
    expected = [(key, "update/5.0.0/urgent", "urgent_update") for key in ("user:1", "user:3", "user:4")]
    assert planned(made) == expected
    assert all(message.is_urgent for message in made.messages)


def test_every_decision_has_its_reason() -> None:
    """A decision not to notify has a reason, too."""
    made = Rows().plan(facts(*staff(), answer=feed(minor("4.6.9"))))
    assert [(one.recipient.key, one.reason) for one in made.decisions] == [
        ("user:1", Reason.ANY_UPDATE),
        ("user:2", Reason.PREFERENCE_NONE),
        ("user:3", Reason.BELOW_PREFERENCE),
        ("user:4", Reason.BELOW_PREFERENCE),
    ]


def test_notified_once() -> None:
    """A notice is planned once, also while it is pending, sent or refused."""
    rows, known = Rows(), facts(ANN, answer=feed(PLAIN))
    first = rows.plan(known)
    assert (planned(first), first.messages[0].is_urgent) == ([(ANN.key, PLAIN_ID, "patch_update")], False)
    pending = rows.plan(known)
    rows.refuse()
    refused = rows.plan(known)
    rows.send()
    sent = rows.plan(known)
    assert [planned(pending), planned(refused), planned(sent)] == [[], [], []]
    assert [made.decisions[0].reason for made in (pending, refused, sent)] == [
        Reason.ALREADY_PLANNED,
        Reason.ALREADY_PLANNED,
        Reason.ALREADY_NOTIFIED,
    ]


def test_one_message_for_notices_planned_together() -> None:
    """All notices about releases for a recipient are one message; each tool notice has its own."""
    answer = feed(PLAIN, minor("4.6.9"), ends_on=date(2027, 2, 20))
    made = Rows().plan(facts(ANN, hook(), answer=answer, tool_notices=[CHECK, RESTART]))
    bundles = [(one.recipient.key, len(one.decisions)) for one in made.messages]
    assert bundles == [(ANN.key, 3), (ANN.key, 1), (ANN.key, 1), ("webhook:1", 3), ("webhook:1", 1), ("webhook:1", 1)]
    assert len({one.id for one in made.messages}) == 6


def test_subjects_are_those_of_true_notices() -> None:
    """Beside the open rows a plan must see those of the notices that are true now."""
    known = facts(ANN, installed="4.4.26", answer=feed(update("4.4.27"), ends_on=date(2026, 12, 17)))
    assert subjects(known) == {"update/4.4.27", "support/4.4"}


def test_message_id() -> None:
    """The id stands in ledgers and mails: 32 digits of a hash of instance, recipient and rows in any order."""
    expected = message_id(INSTANCE, ANN.key, [PLAIN_ID, URGENT_ID])
    assert "f" * 32 >= expected >= "0" * 32
    assert (len(expected), message_id(INSTANCE, ANN.key, [URGENT_ID, PLAIN_ID])) == (32, expected)
    others = {
        message_id("other.example", ANN.key, [PLAIN_ID, URGENT_ID]),
        message_id(INSTANCE, BEN.key, [PLAIN_ID, URGENT_ID]),
        message_id(INSTANCE, ANN.key, [PLAIN_ID]),
    }
    assert len(others - {expected}) == 3
