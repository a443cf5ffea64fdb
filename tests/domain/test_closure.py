"""Closure: recipients of an update notice are notified once that it is installed."""

import pytest

from domain.examples import NOW, cases, days, facts, feed, hook, minor, named, patch, update, user
from domain.rows import Rows, changed, planned
from mastodon_update_check.domain.feeds import Feed
from mastodon_update_check.domain.notices import UpdateNotice
from mastodon_update_check.domain.planning.facts import Facts
from mastodon_update_check.domain.recipients import FollowUps, Preference

ANN, BEN, HOOK = user(1), user(2), hook()
URGENT, PLAIN = patch("4.5.20", urgent=True), patch("4.5.20")
CLOSED = (ANN.key, "update/4.5.20/installed", "closure")


def notified_of(*updates: UpdateNotice) -> Rows:
    """Return rows in which Ann and a webhook were notified of these."""
    rows = Rows()
    rows.plan(facts(ANN, HOOK, answer=feed(*updates)))
    rows.send()
    return rows


def running(version: str | None, mode: FollowUps = FollowUps.URGENT, answer: Feed | None = None) -> Facts:
    """Return what a check knows when another version runs."""
    return facts(ANN, installed=version, answer=answer, closure=mode)


def test_once_for_ever() -> None:
    """Recipients of the urgent notice get one closure, also after a downgrade and a second upgrade."""
    rows = notified_of(URGENT)
    assert planned(rows.plan(running("4.5.20"))) == [CLOSED]
    rows.send()
    for version in ("4.5.19", "4.5.20", "4.5.21", "4.6.0", None, "4.5.20"):
        assert planned(rows.plan(running(version, answer=feed(URGENT) if version == "4.5.19" else None))) == []


@pytest.mark.parametrize("version", ["4.5.20", "4.5.20+glitch", "4.5.21", "4.6.0", "4.7.0-rc.1"])
def test_installed_release_closes_older_ones(version: str) -> None:
    """A newer release counts like the one in the notice."""
    assert planned(notified_of(URGENT).plan(running(version))) == [CLOSED]


def test_one_message_for_all_that_is_closed() -> None:
    """Two urgent releases that are done with one upgrade make one message."""
    rows = notified_of(URGENT, patch("4.5.21", urgent=True), minor("4.7.6", urgent=True))
    made = rows.plan(running("4.5.22"))
    assert planned(made) == [CLOSED, (ANN.key, "update/4.5.21/installed", "closure")]
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


def test_urgency_of_the_sent_notice_counts() -> None:
    """The urgency in the sent notice counts, not the present one."""
    rows = notified_of(PLAIN)
    rows.plan(facts(ANN, HOOK, answer=feed(URGENT)))
    rows.send()
    assert planned(rows.plan(running("4.5.20"))) == [CLOSED]


def test_unsent_notice_has_no_closure() -> None:
    """A message that was not accepted in time is given up, and nothing is said of it."""
    rows = Rows()
    rows.plan(facts(ANN, answer=feed(URGENT)))
    made = rows.plan(running("4.5.20"))
    assert changed(made) == [(ANN.key, "update/4.5.20/urgent", "installed")]
    assert planned(made) == []
    assert planned(rows.plan(running("4.5.20"))) == []


def test_accepted_while_it_was_being_installed() -> None:
    """A message on its way when the update came in is followed by its end once it is known to be accepted."""
    rows = Rows()
    rows.plan(facts(ANN, answer=feed(URGENT)))
    rows.claim()
    assert planned(rows.plan(running("4.5.20"))) == []
    rows.rows = {place: notified_of(URGENT).rows[place] for place in rows.rows}
    assert planned(rows.plan(running("4.5.20"))) == [CLOSED]


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


def test_taken_back_and_installed_again() -> None:
    """A closure that was cancelled unsent is planned when it is true again."""
    rows = notified_of(URGENT)
    for version, expected in (("4.5.20", [CLOSED]), ("4.5.19", []), ("4.5.20", [CLOSED])):
        assert planned(rows.plan(running(version, answer=feed(URGENT) if version == "4.5.19" else None))) == expected


def test_after_a_downgrade_reminders_go_on() -> None:
    """After a downgrade below an urgent release a reminder is due at once, and then weekly."""
    rows = notified_of(URGENT)
    rows.plan(running("4.5.20"))
    rows.send()
    known = facts(ANN, answer=feed(URGENT), now=NOW + days(30), reminders=FollowUps.URGENT, closure=FollowUps.URGENT)
    assert planned(rows.plan(known)) == [(ANN.key, "update/4.5.20/urgent/reminder/6", "reminder")]


def test_by_address_or_by_key() -> None:
    """A new key or a new address is the same person; a lowered preference ends it."""
    rows = notified_of(URGENT)
    for again in (named(ANN.address), user(1, address="new@social.example")):
        made = rows.plan(facts(again, installed="4.5.20", closure=FollowUps.URGENT))
        assert planned(made) == [(again.key, "update/4.5.20/installed", "closure")]
        rows.rows = {place: row for place, row in rows.rows.items() if not place[0].endswith("/installed")}
    off = user(1, Preference.NONE)
    assert planned(rows.plan(facts(off, installed="4.5.20", closure=FollowUps.URGENT))) == []


def test_closure_of_a_pre_release() -> None:
    """The release closes its own pre-releases."""
    rows = Rows()
    rows.plan(facts(ANN, installed="4.7.0-beta.1", answer=feed(update("4.7.0-rc.1", urgent=True))))
    rows.send()
    made = rows.plan(running("4.7.0"))
    assert planned(made) == [(ANN.key, "update/4.7.0-rc.1/installed", "closure")]
