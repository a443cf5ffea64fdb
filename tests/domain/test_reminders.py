"""Reminders: when each is due, of what there are any, and who gets them."""

from datetime import datetime, timedelta

import pytest

from domain.examples import (
    NOW,
    Rows,
    changed,
    days,
    facts,
    feed,
    hook,
    minor,
    named,
    patch,
    planned,
    reminder,
    skip,
    user,
)
from mastodon_update_check.domain.feeds import Feed
from mastodon_update_check.domain.planning.facts import Facts
from mastodon_update_check.domain.planning.follow_ups import FIRST_REMINDERS, next_reminder_at, reminder_number
from mastodon_update_check.domain.recipients import FollowUps, Preference
from mastodon_update_check.domain.repetition import due_after

ANN, BEN, HOOK = user(1), user(2), hook()
URGENT, PLAIN = patch("4.5.20", urgent=True), patch("4.5.20")
FIRST = (ANN.key, "update/4.5.20/urgent/reminder/1", "reminder")
MOMENT = timedelta(seconds=1)


def after(elapsed: timedelta, answer: Feed | None = None, **fields: object) -> Facts:
    """Return what a check knows some time after NOW, for Ann and with reminders of urgent updates."""
    known = {"answer": feed(URGENT) if answer is None else answer, "reminders": FollowUps.URGENT, **fields}
    return facts(ANN, now=NOW + elapsed, **known)  # type: ignore[arg-type] # the fields' own types differ


def notified_urgent(at: datetime = NOW) -> Rows:
    """Return rows in which Ann was notified of an urgent patch."""
    rows = Rows()
    rows.plan(after(timedelta()))
    rows.send(at)
    return rows


@pytest.mark.parametrize(
    ("elapsed", "number"),
    [
        pytest.param(-days(400), 0, id="a message from the future"),
        pytest.param(timedelta(), 0, id="just notified"),
        pytest.param(days(1) - MOMENT, 0, id="not yet a day"),
        pytest.param(days(1), 1, id="a day"),
        pytest.param(days(3) - MOMENT, 1, id="not yet three days"),
        pytest.param(days(3), 2, id="three days"),
        pytest.param(days(7), 3, id="a week"),
        pytest.param(days(14) - MOMENT, 3, id="not yet two weeks"),
        pytest.param(days(14), 4, id="two weeks"),
        pytest.param(days(700), 102, id="a hundred weeks"),
    ],
)
def test_which_reminder_is_due(elapsed: timedelta, number: int) -> None:
    """After 1, 3 and 7 days, then weekly; and the next one is due where its turn comes."""
    assert reminder_number(elapsed) == number
    assert due_after(max(number, 1), FIRST_REMINDERS) <= max(elapsed, days(1))
    assert elapsed < due_after(number + 1, FIRST_REMINDERS) == next_reminder_at(NOW, NOW + elapsed) - NOW


def test_reminders_until_it_is_installed() -> None:
    """Checked every half hour, each reminder is sent once, at its time; none once the update is in."""
    rows, sent = notified_urgent(), {}
    for number in range(48 * 16):
        elapsed = timedelta(minutes=30) * number
        made = rows.plan(after(elapsed, installed="4.5.19" if elapsed < days(15) else "4.5.20"))
        rows.send(NOW + elapsed)
        if made.messages:
            sent[elapsed] = [identity for _, identity, _ in planned(made)]
    assert {
        days(1): ["update/4.5.20/urgent/reminder/1"],
        days(3): ["update/4.5.20/urgent/reminder/2"],
        days(7): ["update/4.5.20/urgent/reminder/3"],
        days(14): ["update/4.5.20/urgent/reminder/4"],
    } == sent


def test_missed_reminders_are_not_made_up_for() -> None:
    """After two weeks without a check one reminder is sent, the latest, and those before it never."""
    rows = notified_urgent()
    made = rows.plan(after(days(14)))
    assert planned(made) == [(ANN.key, "update/4.5.20/urgent/reminder/4", "reminder")]
    assert made.messages[0].is_urgent
    rows.send()
    assert planned(rows.plan(after(days(20)))) == []
    assert len(planned(rows.plan(after(days(21))))) == 1


def test_a_reminder_that_waits_makes_way_for_the_next() -> None:
    """While the mail server is down no reminders pile up."""
    rows = notified_urgent()
    rows.plan(after(days(1)))
    made = rows.plan(after(days(3)))
    assert changed(made) == [(ANN.key, "update/4.5.20/urgent/reminder/1", "later_stage")]
    assert planned(made) == [(ANN.key, "update/4.5.20/urgent/reminder/2", "reminder")]


@pytest.mark.parametrize(
    ("known", "reason"),
    [
        pytest.param(after(days(2)), None, id="still to act on"),
        pytest.param(after(days(2), installed="4.5.20"), "installed", id="installed"),
        pytest.param(after(days(2), installed="4.6.0"), "installed", id="passed by"),
        pytest.param(after(days(2), feed()), "withdrawn", id="withdrawn"),
        pytest.param(after(days(2), skips=[skip("4.5.20", urgent=True)]), "skipped", id="skipped"),
        pytest.param(after(days(2), feed(PLAIN)), "urgency_fell", id="urgent no longer"),
        pytest.param(after(days(2), reminders=FollowUps.NONE), "follow_ups_off", id="reminders are turned off"),
        pytest.param(after(days(2), Feed(updates=None)), None, id="there was no answer"),
        pytest.param(after(days(2), installed=None), None, id="what runs is not known"),
        pytest.param(
            after(days(2), feed(URGENT, patch("4.5.21", urgent=True))), "later_stage", id="a newer urgent patch"
        ),
        pytest.param(after(days(2), feed(URGENT, patch("4.5.21"))), None, id="a newer patch that is not urgent"),
        pytest.param(after(-days(2)), "not_due", id="the clock was wrong when it was planned"),
    ],
)
def test_when_a_reminder_is_given_up(known: Facts, reason: str | None) -> None:
    """A reminder that waits is given up when there is nothing to remind of any more, on evidence alone."""
    rows = notified_urgent()
    rows.plan(after(days(1)))
    made = rows.plan(known)
    expected = [] if reason is None else [(ANN.key, "update/4.5.20/urgent/reminder/1", reason)]
    assert [one for one in changed(made) if "/reminder/" in one[1]] == expected


@pytest.mark.parametrize(
    "known",
    [
        after(days(2), installed="4.5.20"),
        after(days(2), feed()),
        after(days(2), skips=[skip("4.5.20", urgent=True)]),
        after(days(2), skips=[skip("4.5.21", urgent=True)]),
        after(days(2), reminders=FollowUps.NONE),
        after(days(2), Feed(updates=None)),
        after(days(2), installed=None),
    ],
)
def test_when_there_is_no_reminder(known: Facts) -> None:
    """Nothing is planned when there is nothing to remind of, or when it cannot be said."""
    assert planned(notified_urgent().plan(known)) == []


def test_only_notified_recipients_are_reminded() -> None:
    """A recipient without the notice gets it first; one whose message waits gets no reminder."""
    rows = notified_urgent()
    made = rows.plan(facts(ANN, BEN, now=NOW + days(1), answer=feed(URGENT), reminders=FollowUps.URGENT))
    assert planned(made) == [FIRST, (BEN.key, "update/4.5.20/urgent", "urgent_update")]
    waiting = rows.plan(facts(ANN, BEN, now=NOW + days(2), answer=feed(URGENT), reminders=FollowUps.URGENT))
    assert planned(waiting) == []


def test_each_counts_from_a_message_of_its_own() -> None:
    """Reminders count from each recipient's own message."""
    rows = notified_urgent()
    both = {"answer": feed(URGENT), "reminders": FollowUps.URGENT}
    rows.plan(facts(ANN, BEN, now=NOW + days(2), **both))  # type: ignore[arg-type] # the fields' own types differ
    rows.send(NOW + days(2))
    made = rows.plan(facts(ANN, BEN, now=NOW + days(3), **both))  # type: ignore[arg-type] # as above
    assert planned(made) == [
        (ANN.key, "update/4.5.20/urgent/reminder/2", "reminder"),
        (BEN.key, "update/4.5.20/urgent/reminder/1", "reminder"),
    ]


def test_the_same_person_by_another_key() -> None:
    """A notified address gets the reminder under its present key."""
    rows = notified_urgent()
    again = named(ANN.address.upper())
    made = rows.plan(facts(again, now=NOW + days(1), answer=feed(URGENT), reminders=FollowUps.URGENT))
    assert planned(made) == [(again.key, "update/4.5.20/urgent/reminder/1", "reminder")]


def test_lowered_preference_ends_reminders() -> None:
    """A preference that was lowered since counts."""
    rows, off = notified_urgent(), user(1, Preference.NONE)
    assert planned(rows.plan(facts(off, now=NOW + days(1), answer=feed(URGENT), reminders=FollowUps.URGENT))) == []


@pytest.mark.parametrize(
    ("mode", "numbers"), [(FollowUps.URGENT, ["4.5.20"]), (FollowUps.ALL, ["4.5.20", "4.7.6"]), (FollowUps.NONE, [])]
)
def test_which_updates(mode: FollowUps, numbers: list[str]) -> None:
    """By default there are reminders of urgent updates alone; with `all` of every update; they share a message."""
    rows = Rows()
    answer = feed(URGENT, minor("4.7.6"))
    rows.plan(facts(ANN, HOOK, answer=answer, reminders=mode))
    rows.send()
    made = rows.plan(facts(ANN, HOOK, answer=answer, reminders=mode, now=NOW + days(1)))
    found = [(key, identity.split("/")[1]) for key, identity, _ in planned(made)]
    assert [(key, number) for key in (ANN.key, HOOK.key) for number in numbers] == found
    assert len(made.messages) == (2 if numbers else 0)


def test_nothing_to_act_on() -> None:
    """On the newest release of a supported branch a newer branch's urgent release has one notice and no reminders."""
    rows = Rows()
    answer = feed(minor("4.7.6", urgent=True))
    rows.plan(facts(ANN, answer=answer, reminders=FollowUps.URGENT))
    rows.send()
    assert planned(rows.plan(facts(ANN, answer=answer, reminders=FollowUps.URGENT, now=NOW + days(1)))) == []
    both = feed(minor("4.7.6", urgent=True), PLAIN)
    made = rows.plan(facts(ANN, answer=both, reminders=FollowUps.URGENT, now=NOW + days(1)))
    assert (ANN.key, "update/4.7.6/urgent/reminder/1", "reminder") in planned(made)
    gone = rows.plan(facts(ANN, answer=answer, reminders=FollowUps.URGENT, now=NOW + days(1)))
    assert (ANN.key, "update/4.7.6/urgent/reminder/1", "not_to_act_on") in changed(gone)


def test_urgency_that_rises_restarts_reminders() -> None:
    """Reminders count from the urgent message, and bear its name: the plain ones' numbers are not used up."""
    rows = Rows()
    rows.plan(facts(ANN, answer=feed(PLAIN), reminders=FollowUps.ALL))
    rows.send()
    assert len(planned(rows.plan(facts(ANN, answer=feed(PLAIN), reminders=FollowUps.ALL, now=NOW + days(1))))) == 1
    rows.send(NOW + days(1))
    rows.plan(after(days(2)))
    rows.send(NOW + days(2))
    assert planned(rows.plan(after(days(3) - MOMENT))) == []
    assert planned(rows.plan(after(days(3)))) == [FIRST]


def test_urgency_that_falls_repeats_nothing() -> None:
    """With reminders of all releases, one that is urgent no longer is reminded of when the next turn comes."""
    rows = notified_urgent()
    for elapsed, expected in ((days(1), 1), (days(2), 0), (days(3), 1), (days(4), 0)):
        answer = feed(URGENT if elapsed == days(1) else PLAIN)
        made = rows.plan(after(elapsed, answer, reminders=FollowUps.ALL))
        rows.send(NOW + elapsed)
        assert len(planned(made)) == expected, elapsed


def test_a_clock_set_back_a_little() -> None:
    """Neither is a reminder repeated nor one made up for that was missed before."""
    rows = notified_urgent()
    rows.plan(after(days(3)))
    rows.send(NOW + days(3))
    for elapsed in (days(3) - timedelta(minutes=31), days(2), days(3), days(6)):
        assert planned(rows.plan(after(elapsed))) == []
    assert planned(rows.plan(after(days(7)))) == [(ANN.key, "update/4.5.20/urgent/reminder/3", "reminder")]


def test_a_clock_that_was_a_year_ahead_for_one_check() -> None:
    """The reminder that it sent takes the place of none that is due in truth."""
    rows = notified_urgent()
    rows.plan(after(days(365)))
    rows.send(NOW + days(365))
    assert planned(rows.plan(after(days(1)))) == [FIRST]


def test_a_clock_that_was_a_year_ahead_at_acceptance() -> None:
    """An acceptance in the future counts from the next check with the right time; no reminder is lost."""
    rows = notified_urgent(at=NOW + days(365))
    made = rows.plan(after(timedelta()))
    assert made.misdated == (("update/4.5.20/urgent", ANN.key),)
    assert rows.plan(after(timedelta(hours=1))).misdated == ()
    assert planned(rows.plan(after(days(1) - MOMENT))) == []
    assert planned(rows.plan(after(days(1)))) == [FIRST]


def test_a_message_accepted_while_the_check_was_asking() -> None:
    """An acceptance a little after the check's own instant is not a wrong clock."""
    rows = notified_urgent(at=NOW + timedelta(minutes=2))
    assert rows.plan(after(timedelta())).misdated == ()
    assert planned(rows.plan(after(days(1) + timedelta(minutes=2)))) == [FIRST]


def test_in_a_message_of_its_own() -> None:
    """A reminder and a release that is new are two messages, each of its type."""
    rows = notified_urgent()
    answer = feed(URGENT, minor("4.7.6"))
    made = rows.plan(after(days(1), answer))
    assert len(made.messages) == 2
    assert reminder(URGENT) in {one.notice for sent in made.messages for one in sent.decisions}
