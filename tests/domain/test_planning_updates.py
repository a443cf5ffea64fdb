"""Sequences of plans: releases that are withdrawn, installed, or change their urgency."""

from datetime import date

import pytest

from domain.examples import cases, facts, feed, minor, patch, user
from domain.rows import Rows, changed, planned
from mastodon_update_check.domain.feeds import Feed
from mastodon_update_check.domain.notices import UpdateNotice, UpdateType
from mastodon_update_check.domain.outbox import DeliveryState
from mastodon_update_check.domain.planning.facts import Facts
from mastodon_update_check.domain.recipients import Preference

ANN = user(1)
PLAIN, URGENT = patch("4.5.20"), patch("4.5.20", urgent=True)
PLAIN_ID, URGENT_ID = "update/4.5.20/plain", "update/4.5.20/urgent"


def test_withdrawn_and_listed_again_before_it_was_sent() -> None:
    """It is cancelled, then planned again under the same id, by which a receiver recognises a repeat."""
    rows, known = Rows(), facts(ANN, answer=feed(PLAIN))
    first = rows.plan(known)
    assert changed(rows.plan(facts(ANN, answer=feed()))) == [(ANN.key, PLAIN_ID, "withdrawn")]
    again = rows.plan(known)
    assert planned(first) == planned(again)
    assert first.messages[0].id == again.messages[0].id


OLD = facts(ANN, installed="4.5.18", answer=feed(patch("4.5.19"), PLAIN))
LISTED, URGENTLY, UNLISTED = (facts(ANN, answer=feed(*updates)) for updates in ([PLAIN], [URGENT], []))


@cases(
    "checks",
    ("withdrawn and listed again: Mastodon mails it each time", [LISTED, UNLISTED, LISTED]),
    ("a forgotten older process (mastodon#30952, #40617)", [OLD, LISTED, OLD, LISTED, OLD]),
    ("urgency that falls and rises", [URGENTLY, LISTED, URGENTLY, LISTED]),
)
def test_sent_notice_is_not_repeated(checks: list[Facts]) -> None:
    """A sent notice is remembered permanently."""
    rows = Rows()
    assert planned(rows.plan(checks[0]))
    rows.send()
    for known in checks[1:]:
        made = rows.plan(known)
        assert (planned(made), changed(made)) == ([], [])


def test_urgency_that_rises_before_it_was_sent() -> None:
    """The urgent notice takes the place of the plain one; only one of them goes out."""
    rows = Rows()
    rows.plan(facts(ANN, answer=feed(PLAIN)))
    made = rows.plan(facts(ANN, answer=feed(URGENT)))
    assert changed(made) == [(ANN.key, PLAIN_ID, "urgency_rose")]
    assert planned(made) == [(ANN.key, URGENT_ID, "urgent_update")]
    assert rows.states() == {(PLAIN_ID, ANN.key): "superseded", (URGENT_ID, ANN.key): "pending"}


def test_urgency_that_rises_after_it_was_sent() -> None:
    """A known release that turns urgent is a new notice for all who want urgent ones; Mastodon sends nothing."""
    careful = user(3, Preference.CRITICAL)
    rows = Rows()
    assert planned(rows.plan(facts(ANN, careful, answer=feed(PLAIN)))) == [(ANN.key, PLAIN_ID, "patch_update")]
    rows.send()
    made = rows.plan(facts(ANN, careful, answer=feed(URGENT)))
    assert planned(made) == [(ANN.key, URGENT_ID, "urgent_update"), (careful.key, URGENT_ID, "urgent_update")]
    rows.send()
    assert planned(rows.plan(facts(ANN, careful, answer=feed(URGENT)))) == []


def test_urgency_that_falls_before_it_was_sent() -> None:
    """A release that is not urgent any more is planned as such, for those who want that."""
    careful = user(3, Preference.CRITICAL)
    rows = Rows()
    rows.plan(facts(ANN, careful, answer=feed(URGENT)))
    made = rows.plan(facts(ANN, careful, answer=feed(PLAIN)))
    assert [(key, URGENT_ID, "urgency_fell") for key in (ANN.key, careful.key)] == changed(made)
    assert planned(made) == [(ANN.key, PLAIN_ID, "patch_update")]


@cases(
    "known reason",
    ("it was installed", facts(ANN, installed="4.5.20", answer=feed()), "installed"),
    ("it was withdrawn", facts(ANN, answer=feed()), "withdrawn"),
)
@pytest.mark.parametrize("state", ["deferred", "refused"])
def test_waiting_notice_that_became_false(known: object, reason: str, state: str) -> None:
    """A row that waits for another attempt is cancelled when it is not true any more."""
    rows = Rows()
    rows.plan(facts(ANN, answer=feed(PLAIN)))
    rows.set(DeliveryState.PENDING, tried_address=ANN.address) if state == "deferred" else rows.refuse()
    made = rows.plan(known)  # type: ignore[arg-type] # a parameter
    assert (changed(made), planned(made), made.redirections) == ([(ANN.key, PLAIN_ID, reason)], [], ())


def test_downgrade() -> None:
    """After a downgrade cancelled notices are planned again, sent ones are not."""
    rows = Rows()
    rows.plan(facts(ANN, installed="4.5.18", answer=feed(patch("4.5.19"))))
    rows.send()
    rows.plan(facts(ANN, installed="4.5.18", answer=feed(patch("4.5.19"), PLAIN)))
    assert changed(rows.plan(facts(ANN, installed="4.5.20", answer=feed()))) == [(ANN.key, PLAIN_ID, "installed")]
    made = rows.plan(facts(ANN, installed="4.5.18", answer=feed(patch("4.5.19"), PLAIN)))
    assert planned(made) == [(ANN.key, PLAIN_ID, "patch_update")]


def test_urgency_that_rises_while_it_is_sent() -> None:
    """The plain message is on its way, so the urgent one follows it."""
    rows = Rows()
    rows.plan(facts(ANN, answer=feed(PLAIN)))
    rows.claim()
    made = rows.plan(facts(ANN, answer=feed(URGENT)))
    assert (changed(made), planned(made)) == ([], [(ANN.key, URGENT_ID, "urgent_update")])


@cases(
    "known",
    ("the update server did not answer", facts(ANN, installed="4.4.26", answer=None)),
    ("its answer had no list", facts(ANN, installed="4.4.26", answer=Feed(updates=(), is_complete=False))),
    ("its answer had bad entries", facts(ANN, installed="4.4.26", answer=feed(is_complete=False))),
    ("the installed version could not be read", facts(ANN, installed=None, answer=None)),
    ("nothing could be asked at all", facts(installed=None, answer=None, unasked=["email"])),
)
def test_missing_answers_change_nothing(known: object) -> None:
    """A failure to ask is never an empty list of recipients or of updates."""
    rows = Rows()
    rows.plan(facts(ANN, installed="4.4.26", answer=feed(patch("4.4.27"), ends_on=date(2026, 12, 17))))
    made = rows.plan(known)  # type: ignore[arg-type] # a parameter
    assert (changed(made), planned(made)) == ([], [])
    assert set(rows.states().values()) == {"pending"}


def test_answer_in_part() -> None:
    """The readable part of an answer is planned; releases that are missing in it are kept."""
    rows = Rows()
    rows.plan(facts(ANN, answer=feed(PLAIN)))
    made = rows.plan(facts(ANN, answer=feed(minor("4.6.9"), is_complete=False)))
    assert (changed(made), planned(made)) == ([], [(ANN.key, "update/4.6.9/plain", "any_update")])


def test_support_date_of_a_listed_update_is_not_a_notice() -> None:
    """For a release that is known already another date, type or link makes no new notice."""
    rows = Rows()
    rows.plan(facts(ANN, answer=feed(PLAIN)))
    other = UpdateNotice(
        version=PLAIN.version,
        type=UpdateType.MINOR,
        release_notes="https://x.example",
        end_of_support_on=date(2030, 1, 1),
    )
    made = rows.plan(facts(ANN, answer=feed(other)))
    assert (planned(made), changed(made)) == ([], [])
