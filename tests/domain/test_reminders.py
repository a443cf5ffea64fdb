"""Reminders: which updates have any, and who gets them."""

from datetime import datetime, timedelta

from domain.examples import NOW, cases, days, facts, feed, hook, minor, named, patch, reminder, skip, user
from domain.rows import Rows, changed, planned
from mastodon_update_check.domain.feeds import Feed
from mastodon_update_check.domain.planning.facts import Facts
from mastodon_update_check.domain.recipients import FollowUps, Preference, Recipient

ANN, BEN, HOOK = user(1), user(2), hook()
URGENT, PLAIN = patch("4.5.20", urgent=True), patch("4.5.20")
FIRST = (ANN.key, "update/4.5.20/urgent/reminder/1", "reminder")
MOMENT = timedelta(seconds=1)


def after(
    elapsed: timedelta, answer: Feed | None = None, to: tuple[Recipient, ...] = (ANN,), **fields: object
) -> Facts:
    """Return what a check knows some time after NOW, for Ann or others and with reminders of urgent updates."""
    known = {"answer": feed(URGENT) if answer is None else answer, "reminders": FollowUps.URGENT, **fields}
    return facts(*to, now=NOW + elapsed, **known)  # type: ignore[arg-type] # the fields' own types differ


def notified_urgent(at: datetime = NOW) -> Rows:
    """Return rows in which Ann was notified of an urgent patch."""
    rows = Rows()
    rows.plan(after(timedelta()))
    rows.send(at)
    return rows


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


@cases(
    "known reason is_due",
    ("still to act on", after(days(2)), None, True),
    ("installed", after(days(2), installed="4.5.20"), "installed", False),
    ("passed by", after(days(2), installed="4.6.0"), "installed", False),
    ("withdrawn", after(days(2), feed()), "withdrawn", False),
    ("skipped", after(days(2), skips=[skip("4.5.20", urgent=True)]), "skipped", False),
    ("skipped with a newer one", after(days(2), skips=[skip("4.5.21", urgent=True)]), "skipped", False),
    ("urgent no longer", after(days(2), feed(PLAIN)), "urgency_fell", False),
    ("reminders are turned off", after(days(2), reminders=FollowUps.NONE), "follow_ups_off", False),
    ("there was no answer", after(days(2), Feed(updates=(), is_complete=False)), None, False),
    ("the running version is not known", after(days(2), installed=None), None, False),
    ("a newer urgent patch", after(days(2), feed(URGENT, patch("4.5.21", urgent=True))), "later_stage", False),
    ("a newer patch that is not urgent", after(days(2), feed(URGENT, patch("4.5.21"))), None, True),
    ("the clock was wrong when it was planned", after(-days(2)), "not_due", False),
)
def test_when_a_reminder_is_due_and_when_it_is_given_up(known: Facts, reason: str | None, *, is_due: bool) -> None:
    """Without an urgent update to act on none is planned; one that waits is given up on positive evidence alone."""
    due = [identity for _, identity, _ in planned(notified_urgent().plan(known)) if "/reminder/" in identity]
    assert bool(due) == is_due
    rows = notified_urgent()
    rows.plan(after(days(1)))
    expected = [] if reason is None else [(ANN.key, "update/4.5.20/urgent/reminder/1", reason)]
    assert [one for one in changed(rows.plan(known)) if "/reminder/" in one[1]] == expected


def test_only_notified_recipients_are_reminded() -> None:
    """A recipient without the notice gets it first; one whose message waits gets no reminder."""
    rows = notified_urgent()
    made = rows.plan(after(days(1), to=(ANN, BEN)))
    assert planned(made) == [FIRST, (BEN.key, "update/4.5.20/urgent", "urgent_update")]
    assert planned(rows.plan(after(days(2), to=(ANN, BEN)))) == []


def test_each_counts_from_a_message_of_its_own() -> None:
    """Reminders count from each recipient's own message."""
    rows = notified_urgent()
    rows.plan(after(days(2), to=(ANN, BEN)))
    rows.send(NOW + days(2))
    made = rows.plan(after(days(3), to=(ANN, BEN)))
    assert planned(made) == [
        (ANN.key, "update/4.5.20/urgent/reminder/2", "reminder"),
        (BEN.key, "update/4.5.20/urgent/reminder/1", "reminder"),
    ]


def test_the_same_person_by_another_key() -> None:
    """A notified address gets the reminder under its present key."""
    rows = notified_urgent()
    again = named(ANN.address.upper())
    made = rows.plan(after(days(1), to=(again,)))
    assert planned(made) == [(again.key, "update/4.5.20/urgent/reminder/1", "reminder")]


def test_lowered_preference_ends_reminders() -> None:
    """A preference that was lowered since counts."""
    assert planned(notified_urgent().plan(after(days(1), to=(user(1, Preference.NONE),)))) == []


@cases("mode numbers", (FollowUps.URGENT, ["4.5.20"]), (FollowUps.ALL, ["4.5.20", "4.7.6"]), (FollowUps.NONE, []))
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
    rows.plan(after(timedelta(), answer))
    rows.send()
    assert planned(rows.plan(after(days(1), answer))) == []
    made = rows.plan(after(days(1), feed(minor("4.7.6", urgent=True), PLAIN)))
    assert (ANN.key, "update/4.7.6/urgent/reminder/1", "reminder") in planned(made)
    gone = rows.plan(after(days(1), answer))
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
