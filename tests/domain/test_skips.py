"""Skipping a release: what it covers, when it ends, what can be skipped, and what becomes of messages."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from domain.examples import NOW, cases, facts, feed, hook, minor, patch, reminder, skip, user, version
from domain.rows import Rows, changed, delivery, planned, play
from mastodon_update_check.domain.notices import UpdateNotice
from mastodon_update_check.domain.outbox import DeliveryState
from mastodon_update_check.domain.planning.facts import Facts
from mastodon_update_check.domain.recipients import FollowUps
from mastodon_update_check.domain.server.skips import skip as skip_release
from mastodon_update_check.domain.server.skips import skipped_rows, unskip
from mastodon_update_check.domain.server.state import ServerState, Skip
from mastodon_update_check.domain.server.status import Level, describe_line, describe_pending, judge, urgent_to_act_on
from mastodon_update_check.errors import UsageError

ANN, HOOK = user(1), hook()
URGENT, PLAIN = patch("4.5.20", urgent=True), patch("4.5.20")
KNOWN = ServerState(installed=version("4.5.19"), updates=(PLAIN, patch("4.5.21"), minor("4.7.6")), good_at=NOW)


@cases(
    "one update covered",
    ("the same", skip("4.5.20"), PLAIN, True),
    ("the same, urgent then", skip("4.5.20", urgent=True), URGENT, True),
    ("less than it was then", skip("4.5.20", urgent=True), PLAIN, True),
    ("urgent since", skip("4.5.20"), URGENT, False),
    ("what is older in its branch", skip("4.5.21"), PLAIN, True),
    ("but not what is urgent beside a skip that is not", skip("4.5.21"), URGENT, False),
    ("nothing newer", skip("4.5.20"), patch("4.5.21"), False),
    ("nothing of another branch", skip("4.6.0"), PLAIN, False),
)
def test_releases_that_a_skip_covers(one: Skip, update: UpdateNotice, *, covered: bool) -> None:
    """A skip covers older releases of the branch, but not more urgent ones."""
    assert one.covers(update) is covered


def test_skipped_release_is_not_planned() -> None:
    """A skipped release is not planned, with a reason; waiting messages are cancelled."""
    rows = Rows()
    rows.plan(facts(ANN, HOOK, answer=feed(PLAIN, minor("4.7.6"))))
    made = rows.plan(facts(ANN, HOOK, answer=feed(PLAIN, minor("4.7.6")), skips=[skip("4.5.20")]))
    assert [(key, "update/4.5.20/plain", "skipped") for key in (ANN.key, HOOK.key)] == changed(made)
    assert [str(one.reason) for one in made.decisions] == ["skipped", "already_planned"] * 2


def test_lifted_when_it_turns_urgent() -> None:
    """A release that turns urgent after it was skipped is planned."""
    skips = [skip("4.5.20")]
    made = Rows().plan(facts(ANN, answer=feed(URGENT), skips=skips))
    assert planned(made) == [(ANN.key, "update/4.5.20/urgent", "urgent_update")]
    known = replace(KNOWN, skips=(*skips, skip("4.5.21")))
    assert known.lifted() == ()
    assert tuple(skips) == replace(known, updates=(URGENT, patch("4.5.21"))).lifted()
    kept = replace(known, skips=(skip("4.5.20", urgent=True),), updates=(URGENT,))
    assert kept.lifted() == ()


def test_no_alarm() -> None:
    """`status` and the status line leave it in peace; nor does an urgent release elsewhere take its place."""
    updates = (URGENT, minor("4.7.6", urgent=True))
    known = replace(KNOWN, updates=updates, skips=(skip("4.5.20", urgent=True),))
    assert urgent_to_act_on(known, NOW) == ()
    assert Level.OK is judge(known, None, NOW, NOW - NOW, "").level
    assert "pending: 4.5.20 (urgent, skipped), 4.7.6 (urgent)" in describe_line(known, 0, "")
    assert Level.OK is judge(replace(KNOWN, skips=(skip("4.5.21"),)), None, NOW, NOW - NOW, "").level
    assert Level.WARNING is judge(replace(KNOWN, skips=(skip("4.5.20"),)), None, NOW, NOW - NOW, "").level


def test_skip_is_stored_with_the_state() -> None:
    """A skip is stored, and stays after the next answers."""
    known, _ = skip_release(replace(KNOWN, updates=(URGENT,)), "4.5.20", NOW)
    again = ServerState.from_json(json.loads(json.dumps(known.to_json())))
    assert (skip("4.5.20", urgent=True),) == again.skips == again.succeeded(NOW, version("4.5.19"), feed(), ()).skips
    assert again.skips == skip_release(again, "4.5.20", NOW)[0].skips


@cases(
    "known text sentence",
    (KNOWN, "latest", "'latest' is not a version: expected three numbers at the start"),
    (KNOWN, "4.5.19", "expected a pending release (4.5.20, 4.5.21, 4.7.6), got 4.5.19"),
    (ServerState(), "4.5.20", "expected a pending release (there is none), got 4.5.20"),
)
def test_releases_that_cannot_be_skipped(known: ServerState, text: str, sentence: str) -> None:
    """Only what is pending can be skipped; anything else is answered by a sentence that says what could be."""
    with pytest.raises(UsageError) as caught:
        skip_release(known, text, NOW)
    assert str(caught.value) == sentence


def test_taken_back() -> None:
    """The skip is gone; an error names the skips that there are. A release may be spelled in any way."""
    known = skip_release(skip_release(KNOWN, " v4.5.20 ", NOW)[0], "4.7.6", NOW)[0]
    after, taken = unskip(known, "4.5.20")
    assert (skip("4.5.20"), (skip("4.7.6"),)) == (taken, after.skips)
    with pytest.raises(UsageError, match=r"^expected a skipped release \(4\.7\.6\), got 4\.5\.20$"):
        unskip(after, "4.5.20")


def test_messages_that_wait() -> None:
    """Waiting rows are cancelled; a row that is being sent goes on; a sent one stays sent."""
    rows = [
        delivery(PLAIN, ANN),
        delivery(PLAIN, user(2), DeliveryState.FAILED),
        replace(delivery(PLAIN, user(3)), is_being_sent=True),
        delivery(PLAIN, user(4), DeliveryState.SENT),
        delivery(minor("4.7.6"), ANN),
    ]
    found = [*skipped_rows(rows, skip_release(KNOWN, "4.5.20", NOW)[0], NOW)]
    assert [row.recipient_key for row in found] == ["user:1", "user:2", "user:3"]
    assert [row.is_open for row in found] == [True, True, False]


TOMORROW = NOW + timedelta(days=1)
POSTPONED, _ = skip_release(replace(KNOWN, updates=(URGENT,)), "4.5.20", NOW, TOMORROW)


@pytest.mark.parametrize(("after", "level"), [(0, Level.OK), (1, Level.CRITICAL)])
def test_no_alarm_until_a_date(after: int, level: Level) -> None:
    """From then on there is an alarm again."""
    now = NOW + timedelta(days=after)
    state = replace(POSTPONED, good_at=now)
    assert judge(state, None, now, timedelta(minutes=30), "").level is level
    assert [update.version for update in urgent_to_act_on(state, now)] == [URGENT.version] * after


def test_no_reminder_until_a_date() -> None:
    """The first notice comes; a pending reminder is withdrawn, none is planned, and then the latest is."""
    day, first = timedelta(days=1), f"{ANN.key} update/4.5.20/urgent/reminder/1"
    until = skip_release(replace(KNOWN, updates=(URGENT,)), "4.5.20", NOW + day, NOW + 4 * day)[0]

    def at(elapsed: timedelta, *skips: Skip) -> Facts:
        return facts(ANN, answer=feed(URGENT), now=NOW + elapsed, skips=skips, reminders=FollowUps.URGENT)

    play(
        [
            (at(0 * day, *until.skips), f"{ANN.key} update/4.5.20/urgent urgent_update"),
            *("send", (at(day), f"{first} reminder"), (at(day, *until.skips), f"-{first} skipped")),
            (at(3 * day, *until.skips),),
            (at(4 * day, *until.skips), f"{ANN.key} update/4.5.20/urgent/reminder/2 reminder"),
        ]
    )
    waiting = delivery(reminder(URGENT), ANN)
    assert [*skipped_rows([waiting], until, NOW + day)] == [waiting]


def test_postponement_is_shown_stored_and_forgotten() -> None:
    """`status` names the date; the ledger keeps it until it has passed."""
    assert [*describe_pending(POSTPONED)] == ["4.5.20 (urgent, skipped until 2026-11-24)"]
    assert ServerState.from_json(json.loads(json.dumps(POSTPONED.to_json()))).skips == POSTPONED.skips
    later = POSTPONED.succeeded(TOMORROW, version("4.5.19"), feed(URGENT), ())
    assert later.skips == ()
    with pytest.raises(UsageError, match="expected a date in the future, got 2026-11-23"):
        skip_release(KNOWN, "4.5.20", NOW, NOW)


def test_postponement_ends_when_the_release_turns_urgent() -> None:
    """As any skip does."""
    state, _ = skip_release(KNOWN, "4.5.20", NOW, TOMORROW)
    assert not state.is_silenced(URGENT, NOW)
    assert replace(state, updates=(URGENT,)).lifted() == state.skips
