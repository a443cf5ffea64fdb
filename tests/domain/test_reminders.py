"""Reminders: which updates have any, and who gets them."""

from collections.abc import Sequence
from datetime import timedelta

import pytest

from domain.examples import NOW, cases, days, facts, feed, hook, minor, named, patch, reminder, skip, user
from domain.rows import Rows, Step, changed, planned, play
from mastodon_update_check.domain.feeds import Feed
from mastodon_update_check.domain.planning.facts import Facts
from mastodon_update_check.domain.recipients import FollowUps, Preference, Recipient

ANN, BEN, HOOK = user(1), user(2), hook()
URGENT, PLAIN = patch("4.5.20", urgent=True), patch("4.5.20")
MOMENT = timedelta(seconds=1)


def after(
    elapsed: timedelta, answer: Feed | None = None, to: tuple[Recipient, ...] = (ANN,), **fields: object
) -> Facts:
    """Return what a check knows some time after NOW, for Ann or others and with reminders of urgent updates."""
    known = {"answer": feed(URGENT) if answer is None else answer, "reminders": FollowUps.URGENT, **fields}
    return facts(*to, now=NOW + elapsed, **known)  # type: ignore[arg-type] # the fields' own types differ


def notified_urgent() -> Rows:
    """Return rows in which Ann was notified of an urgent patch."""
    rows = Rows()
    rows.plan(after(timedelta()))
    rows.send()
    return rows


def nth(number: int, urgency: str = "urgent") -> str:
    """Return Ann's reminder of that number, and its reason."""
    return f"user:1 update/4.5.20/{urgency}/reminder/{number} reminder"


NOTIFIED: list[Step] = [(after(timedelta()), "user:1 update/4.5.20/urgent urgent_update"), "send"]
AGAIN, BOTH = named(ANN.address.upper()), (ANN, BEN)
ELSEWHERE = minor("4.7.6", urgent=True)
SEQUENCES: dict[str, list[Step]] = {
    "after two weeks without a check one is sent, the latest": [
        *(*NOTIFIED, (after(days(14)), nth(4)), "send", (after(days(20)),), (after(days(21)), nth(5))),
    ],
    "one that waits makes way for the next": [
        *NOTIFIED,
        (after(days(1)), nth(1)),
        (after(days(3)), "-user:1 update/4.5.20/urgent/reminder/1 later_stage", nth(2)),
    ],
    "a recipient without the notice gets that first, and no reminder while it waits": [
        *NOTIFIED,
        (after(days(1), to=BOTH), nth(1), "user:2 update/4.5.20/urgent urgent_update"),
        (after(days(2), to=BOTH),),
    ],
    "each counts from a message of its own": [
        *NOTIFIED,
        (after(days(2), to=BOTH), nth(1), "user:2 update/4.5.20/urgent urgent_update"),
        "send",
        (after(days(3), to=BOTH), nth(2), "user:2 update/4.5.20/urgent/reminder/1 reminder"),
    ],
    "the same person by another key": [
        *NOTIFIED,
        (after(days(1), to=(AGAIN,)), f"{AGAIN.key} update/4.5.20/urgent/reminder/1 reminder"),
    ],
    "a preference that was lowered since": [*NOTIFIED, (after(days(1), to=(user(1, Preference.NONE),)),)],
    "a newer branch's urgent release is reminded of while the own branch has no urgent fix of its own": [
        *((after(timedelta(), feed(ELSEWHERE)), "user:1 update/4.7.6/urgent urgent_update"), "send"),
        (after(days(1), feed(ELSEWHERE)),),
        (
            after(days(1), feed(ELSEWHERE, PLAIN)),
            "user:1 update/4.5.20/plain patch_update",
            "user:1 update/4.7.6/urgent/reminder/1 reminder",
        ),
        (
            after(days(1), feed(ELSEWHERE)),
            "-user:1 update/4.5.20/plain withdrawn",
            "-user:1 update/4.7.6/urgent/reminder/1 not_to_act_on",
        ),
    ],
    "urgency that rises restarts them": [
        *(
            (after(timedelta(), feed(PLAIN), reminders=FollowUps.ALL), "user:1 update/4.5.20/plain patch_update"),
            "send",
        ),
        *((after(days(1), feed(PLAIN), reminders=FollowUps.ALL), nth(1, "plain")), "send"),
        *((after(days(2)), "user:1 update/4.5.20/urgent urgent_update"), "send"),
        *((after(days(3) - MOMENT),), (after(days(3)), nth(1))),
    ],
    "urgency that falls repeats nothing": [
        *(*NOTIFIED, (after(days(1)), nth(1)), "send", (after(days(2), feed(PLAIN), reminders=FollowUps.ALL),)),
        *((after(days(3), feed(PLAIN), reminders=FollowUps.ALL), nth(2, "plain")), "send"),
        (after(days(4), feed(PLAIN), reminders=FollowUps.ALL),),
    ],
    "a clock that is set back a little": [
        *(*NOTIFIED, (after(days(3)), nth(2)), "send", (after(days(3) - timedelta(minutes=31)),)),
        *((after(days(2)),), (after(days(3)),), (after(days(6)),), (after(days(7)), nth(3))),
    ],
}


@pytest.mark.parametrize("steps", SEQUENCES.values(), ids=SEQUENCES)
def test_sequences(steps: Sequence[Step]) -> None:
    """Each reminder is sent once, to recipients of the notice, while there is something to act on."""
    play(steps)


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
)
def test_when_a_reminder_is_due_and_when_it_is_given_up(known: Facts, reason: str | None, *, is_due: bool) -> None:
    """Without an urgent update to act on none is planned; one that waits is given up on positive evidence alone."""
    due = [identity for _, identity, _ in planned(notified_urgent().plan(known)) if "/reminder/" in identity]
    assert bool(due) == is_due
    rows = notified_urgent()
    rows.plan(after(days(1)))
    expected = [] if reason is None else [(ANN.key, "update/4.5.20/urgent/reminder/1", reason)]
    assert [one for one in changed(rows.plan(known)) if "/reminder/" in one[1]] == expected


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


def test_in_a_message_of_its_own() -> None:
    """A reminder and a release that is new are two messages, each of its type."""
    rows = notified_urgent()
    answer = feed(URGENT, minor("4.7.6"))
    made = rows.plan(after(days(1), answer))
    assert len(made.messages) == 2
    assert reminder(URGENT) in {one.notice for sent in made.messages for one in sent.decisions}
