"""Closure: recipients of an update notice are notified once that it is installed."""

from collections.abc import Sequence

import pytest

from domain.examples import NOW, cases, days, facts, feed, hook, minor, named, patch, update, user
from domain.rows import Rows, Step, changed, planned, play
from mastodon_update_check.domain.feeds import Feed
from mastodon_update_check.domain.notices import UpdateNotice
from mastodon_update_check.domain.planning.facts import Facts
from mastodon_update_check.domain.recipients import FollowUps, Preference

ANN, BEN, HOOK = user(1), user(2), hook()
URGENT, PLAIN = patch("4.5.20", urgent=True), patch("4.5.20")
CLOSED = "user:1 update/4.5.20/installed closure"


def notified_of(*updates: UpdateNotice) -> Rows:
    """Return rows in which Ann and a webhook were notified of these."""
    rows = Rows()
    rows.plan(facts(ANN, HOOK, answer=feed(*updates)))
    rows.send()
    return rows


def running(version: str | None, mode: FollowUps = FollowUps.URGENT, answer: Feed | None = None) -> Facts:
    """Return what a check knows when another version runs."""
    return facts(ANN, installed=version, answer=answer, closure=mode)


NOTIFIED: list[Step] = [(facts(ANN, answer=feed(URGENT)), "user:1 update/4.5.20/urgent urgent_update"), "send"]
SET_BACK = running("4.5.19", answer=feed(URGENT))
MOVED, OFF = user(1, address="new@social.example"), user(1, Preference.NONE)
LATER = facts(ANN, answer=feed(URGENT), now=NOW + days(30), reminders=FollowUps.URGENT, closure=FollowUps.URGENT)
SEQUENCES: dict[str, list[Step]] = {
    "once for ever, also after a downgrade": [
        *(*NOTIFIED, (running("4.5.20"), CLOSED), "send", (SET_BACK,), (running("4.5.20"),), (running("4.5.21"),)),
        *((running("4.6.0"),), (running(None),), (running("4.5.20"),)),
    ],
    "taken back before it was sent, and installed again": [
        *NOTIFIED,
        (running("4.5.20"), CLOSED),
        (SET_BACK, "-user:1 update/4.5.20/installed not_installed"),
        (running("4.5.20"), CLOSED),
    ],
    "after a downgrade a reminder is due at once, and then weekly": [
        *(*NOTIFIED, (running("4.5.20"), CLOSED), "send"),
        (LATER, "user:1 update/4.5.20/urgent/reminder/6 reminder"),
    ],
    "a notice that was never sent": [
        (facts(ANN, answer=feed(URGENT)), "user:1 update/4.5.20/urgent urgent_update"),
        *((running("4.5.20"), "-user:1 update/4.5.20/urgent installed"), (running("4.5.20"),)),
    ],
    "the urgency of the sent notice counts": [
        *((facts(ANN, answer=feed(PLAIN)), "user:1 update/4.5.20/plain patch_update"), "send", *NOTIFIED),
        (running("4.5.20"), CLOSED),
    ],
    "a pre-release is closed by its release": [
        (
            facts(ANN, installed="4.7.0-beta.1", answer=feed(update("4.7.0-rc.1", urgent=True))),
            "user:1 update/4.7.0-rc.1/urgent urgent_update",
        ),
        *("send", (running("4.7.0"), "user:1 update/4.7.0-rc.1/installed closure")),
    ],
    "a new key is the same person": [
        *NOTIFIED,
        (
            facts(named(ANN.address), installed="4.5.20", closure=FollowUps.URGENT),
            "address:user1@social.example update/4.5.20/installed closure",
        ),
    ],
    "and so is a new address": [*NOTIFIED, (facts(MOVED, installed="4.5.20", closure=FollowUps.URGENT), CLOSED)],
    "a lowered preference ends it": [*NOTIFIED, (facts(OFF, installed="4.5.20", closure=FollowUps.URGENT),)],
}


@pytest.mark.parametrize("steps", SEQUENCES.values(), ids=SEQUENCES)
def test_sequences(steps: Sequence[Step]) -> None:
    """Recipients of the urgent notice get one closure."""
    play(steps)


@pytest.mark.parametrize("version", ["4.5.20", "4.5.20+glitch", "4.5.21", "4.6.0", "4.7.0-rc.1"])
def test_installed_release_closes_older_ones(version: str) -> None:
    """A newer release counts like the one in the notice."""
    assert [" ".join(one) for one in planned(notified_of(URGENT).plan(running(version)))] == [CLOSED]


def test_one_message_for_all_that_is_closed() -> None:
    """Two urgent releases that are done with one upgrade make one message."""
    rows = notified_of(URGENT, patch("4.5.21", urgent=True), minor("4.7.6", urgent=True))
    made = rows.plan(running("4.5.22"))
    assert [identity for _, identity, _ in planned(made)] == ["update/4.5.20/installed", "update/4.5.21/installed"]
    assert len(made.messages) == 1
    assert not made.messages[0].is_urgent


@cases(
    "update_ mode closed",
    ("none", URGENT, FollowUps.NONE, []),
    ("urgent", URGENT, FollowUps.URGENT, [ANN.key, HOOK.key]),
    ("not for what is not urgent", PLAIN, FollowUps.URGENT, []),
    ("all, but mail only of what was urgent", PLAIN, FollowUps.ALL, [HOOK.key]),
    ("all", URGENT, FollowUps.ALL, [ANN.key, HOOK.key]),
)
def test_recipients_of_a_closure(update_: UpdateNotice, mode: FollowUps, closed: list[str]) -> None:
    """Mail goes only to recipients of the urgent notice; sinks without addresses get the rest if wanted."""
    made = notified_of(update_).plan(facts(ANN, HOOK, BEN, installed="4.5.20", closure=mode))
    assert [key for key, _, _ in planned(made)] == closed


def test_accepted_while_it_was_being_installed() -> None:
    """A message on its way when the update came in is followed by its end once it is known to be accepted."""
    rows = Rows()
    rows.plan(facts(ANN, answer=feed(URGENT)))
    rows.claim()
    assert planned(rows.plan(running("4.5.20"))) == []
    rows.rows = {place: notified_of(URGENT).rows[place] for place in rows.rows}
    assert [" ".join(one) for one in planned(rows.plan(running("4.5.20")))] == [CLOSED]


@cases(
    "known reason",
    ("still in", running("4.5.20"), None),
    ("something newer is", running("4.5.21"), None),
    ("taken back", running("4.5.19"), "not_installed"),
    ("what runs is not known", running(None), None),
    ("turned off", running("4.5.20", FollowUps.NONE), "follow_ups_off"),
)
def test_changes_of_a_waiting_closure(known: Facts, reason: str | None) -> None:
    """A closure is withdrawn when the release is not installed any more."""
    rows = notified_of(URGENT)
    rows.plan(running("4.5.20"))
    assert ([] if reason is None else [(ANN.key, "update/4.5.20/installed", reason)]) == changed(rows.plan(known))
