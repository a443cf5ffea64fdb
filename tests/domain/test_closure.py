"""Closure: whoever was told of an update hears once that it is installed."""

import pytest

from domain.examples import NOW, Rows, changed, days, facts, feed, hook, minor, named, patch, told, update, user
from mastodon_update_check.domain.feeds import Feed
from mastodon_update_check.domain.notices import UpdateNotice
from mastodon_update_check.domain.planning.facts import Facts
from mastodon_update_check.domain.recipients import FollowUps, Preference

ANN, BEN, HOOK = user(1), user(2), hook()
URGENT, PLAIN = patch("4.5.20", urgent=True), patch("4.5.20")
CLOSED = (ANN.key, "update/4.5.20/installed", "closure")


def told_of(*updates: UpdateNotice) -> Rows:
    """Return rows in which Ann and a webhook were told of these."""
    rows = Rows()
    rows.plan(facts(ANN, HOOK, answer=feed(*updates)))
    rows.send()
    return rows


def running(version: str | None, mode: FollowUps = FollowUps.URGENT, answer: Feed | None = None) -> Facts:
    """Return what a check knows when another version runs."""
    return facts(ANN, installed=version, answer=answer, closure=mode)


def test_once_for_ever() -> None:
    """Who was told that it is urgent hears once that it is in; going down and up again tells nobody twice."""
    rows = told_of(URGENT)
    assert [CLOSED] == told(rows.plan(running("4.5.20")))
    rows.send()
    for version in ("4.5.19", "4.5.20", "4.5.21", "4.6.0", None, "4.5.20"):
        assert [] == told(rows.plan(running(version, answer=feed(URGENT) if version == "4.5.19" else None)))


@pytest.mark.parametrize("version", ["4.5.20", "4.5.20+glitch", "4.5.21", "4.6.0", "4.7.0-rc.1"])
def test_what_is_installed_closes_what_it_covers(version: str) -> None:
    """A newer release is as good as the one that was told."""
    assert [CLOSED] == told(told_of(URGENT).plan(running(version)))


def test_one_message_for_all_that_is_closed() -> None:
    """Two urgent releases that are done with one upgrade make one message."""
    rows = told_of(URGENT, patch("4.5.21", urgent=True), minor("4.7.6", urgent=True))
    made = rows.plan(running("4.5.22"))
    assert [CLOSED, (ANN.key, "update/4.5.21/installed", "closure")] == told(made)
    assert 1 == len(made.messages)
    assert not made.messages[0].is_urgent


@pytest.mark.parametrize(
    ("update_", "mode", "closed"),
    [
        pytest.param(URGENT, FollowUps.NONE, [], id="none"),
        pytest.param(URGENT, FollowUps.URGENT, [ANN.key, HOOK.key], id="urgent"),
        pytest.param(PLAIN, FollowUps.URGENT, [], id="not for what is not urgent"),
        pytest.param(PLAIN, FollowUps.ALL, [HOOK.key], id="all, but mail only of what was urgent"),
        pytest.param(URGENT, FollowUps.ALL, [ANN.key, HOOK.key], id="all"),
    ],
)
def test_who_hears_of_it(update_: UpdateNotice, mode: FollowUps, closed: list[str]) -> None:
    """Mail is only for somebody who was told that it was urgent; the rest is for machines that want it."""
    made = told_of(update_).plan(facts(ANN, HOOK, BEN, installed="4.5.20", closure=mode))
    assert closed == [key for key, _, _ in told(made)]


def test_told_as_urgent_counts() -> None:
    """Whether it is still called urgent does not matter: it was told so."""
    rows = told_of(PLAIN)
    rows.plan(facts(ANN, HOOK, answer=feed(URGENT)))
    rows.send()
    assert [CLOSED] == told(rows.plan(running("4.5.20")))


def test_what_was_never_sent_has_no_end() -> None:
    """A message that was not accepted in time is given up, and nothing is said of it."""
    rows = Rows()
    rows.plan(facts(ANN, answer=feed(URGENT)))
    made = rows.plan(running("4.5.20"))
    assert [(ANN.key, "update/4.5.20/urgent", "installed")] == changed(made)
    assert [] == told(made)
    assert [] == told(rows.plan(running("4.5.20")))


def test_accepted_while_it_was_being_installed() -> None:
    """A message on its way when the update came in is followed by its end once it is known to be accepted."""
    rows = Rows()
    rows.plan(facts(ANN, answer=feed(URGENT)))
    rows.claim()
    assert [] == told(rows.plan(running("4.5.20")))
    rows.rows = {place: told_of(URGENT).rows[place] for place in rows.rows}
    assert [CLOSED] == told(rows.plan(running("4.5.20")))


@pytest.mark.parametrize(
    ("known", "reason"),
    [
        pytest.param(running("4.5.20"), None, id="still in"),
        pytest.param(running("4.5.21"), None, id="something newer is"),
        pytest.param(running("4.5.19"), "not_installed", id="taken back"),
        pytest.param(running(None), None, id="what runs is not known"),
        pytest.param(running("4.5.20", FollowUps.NONE), "follow_ups_off", id="turned off"),
    ],
)
def test_what_becomes_of_one_that_waits(known: Facts, reason: str | None) -> None:
    """Nobody is told that something is installed which is not any more."""
    rows = told_of(URGENT)
    rows.plan(running("4.5.20"))
    assert ([] if reason is None else [(ANN.key, "update/4.5.20/installed", reason)]) == changed(rows.plan(known))


def test_taken_back_and_installed_again() -> None:
    """What was given up unsent is told when it is true again."""
    rows = told_of(URGENT)
    for version, expected in (("4.5.20", [CLOSED]), ("4.5.19", []), ("4.5.20", [CLOSED])):
        assert expected == told(rows.plan(running(version, answer=feed(URGENT) if version == "4.5.19" else None)))


def test_after_a_downgrade_reminders_go_on() -> None:
    """Who goes back below an urgent release is reminded of it at once, and then weekly."""
    rows = told_of(URGENT)
    rows.plan(running("4.5.20"))
    rows.send()
    known = facts(ANN, answer=feed(URGENT), now=NOW + days(30), reminders=FollowUps.URGENT, closure=FollowUps.URGENT)
    assert [(ANN.key, "update/4.5.20/urgent/reminder/6", "reminder")] == told(rows.plan(known))


def test_by_address_or_by_key() -> None:
    """Whoever has another key or address since is the same person; whoever wants nothing any more gets nothing."""
    rows = told_of(URGENT)
    for again in (named(ANN.address), user(1, address="new@social.example")):
        made = rows.plan(facts(again, installed="4.5.20", closure=FollowUps.URGENT))
        assert [(again.key, "update/4.5.20/installed", "closure")] == told(made)
        rows.rows = {place: row for place, row in rows.rows.items() if not place[0].endswith("/installed")}
    off = user(1, Preference.NONE)
    assert [] == told(rows.plan(facts(off, installed="4.5.20", closure=FollowUps.URGENT)))


def test_a_pre_release_that_was_told() -> None:
    """The release closes its own pre-releases."""
    rows = Rows()
    rows.plan(facts(ANN, installed="4.7.0-beta.1", answer=feed(update("4.7.0-rc.1", urgent=True))))
    rows.send()
    made = rows.plan(running("4.7.0"))
    assert [(ANN.key, "update/4.7.0-rc.1/installed", "closure")] == told(made)
