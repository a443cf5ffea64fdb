"""The installed version: the lower of what the tree says and what the running server says."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest

from domain.examples import NOW, cases, facts, feed, patch, user, version
from domain.rows import Rows, changed, planned
from mastodon_update_check.domain.notices import RestartNotice
from mastodon_update_check.domain.recipients import FollowUps
from mastodon_update_check.domain.server.installed import (
    VersionReading,
    has_lost_sight,
    is_settled,
    merge_readings,
    restart_notice,
)
from mastodon_update_check.domain.server.state import ServerState
from mastodon_update_check.errors import Cause, CheckError

NOTHING = VersionReading()
TREE_ERROR = CheckError(Cause.VERSION, "lib/mastodon/version.rb is missing")
SERVER_ERROR = CheckError(Cause.CONNECTION, "connection refused")
UNREADABLE, SILENT = VersionReading(error=TREE_ERROR), VersionReading(error=SERVER_ERROR)
EARLIER = NOW - timedelta(minutes=30)
AHEAD = NOW + timedelta(days=365)


def saw(text: str) -> VersionReading:
    """Return a sighting of a version."""
    return VersionReading(version=version(text))


def known(tree: str | None = None, running: str | None = None, **fields: object) -> ServerState:
    """Return what the last check left behind."""
    return ServerState(
        tree=None if tree is None else version(tree),
        running=None if running is None else version(running),
        **fields,  # type: ignore[arg-type] # the fields' own types differ
    )


@cases(
    "tree running before installed",
    ("both say the same", saw("4.5.20"), saw("4.5.20"), known(), "4.5.20"),
    ("not restarted: what runs counts", saw("4.5.20"), saw("4.5.19"), known(), "4.5.19"),
    ("the tree was set back", saw("4.5.19"), saw("4.5.20"), known(), "4.5.19"),
    ("no server to ask", saw("4.5.20"), NOTHING, known(), "4.5.20"),
    ("no tree to read", NOTHING, saw("4.5.19"), known(), "4.5.19"),
    ("a tree that cannot be read", UNREADABLE, saw("4.5.19"), known(), "4.5.19"),
    ("a server that never answered", saw("4.5.20"), SILENT, known(), "4.5.20"),
    ("its last answer stands while the tree is the same", saw("4.5.20"), SILENT, known("4.5.20", "4.5.19"), "4.5.19"),
    ("but not when the tree has changed since", saw("4.5.21"), SILENT, known("4.5.20", "4.5.19"), "4.5.21"),
    ("nor when it is not to be asked any more", saw("4.5.20"), NOTHING, known("4.5.20", "4.5.19"), "4.5.20"),
    ("without a tree its last answer stands, too", NOTHING, SILENT, known(None, "4.5.19"), "4.5.19"),
)
def test_installed_version(tree: VersionReading, running: VersionReading, before: ServerState, installed: str) -> None:
    """The lower of the two sources is the installed version."""
    assert version(installed) == merge_readings(tree, running, before, NOW).installed


@cases(
    "tree running cause detail",
    ("the tree's error", UNREADABLE, NOTHING, Cause.VERSION, str(TREE_ERROR)),
    ("the server's", NOTHING, SILENT, Cause.CONNECTION, str(SERVER_ERROR)),
    ("the tree's first", UNREADABLE, SILENT, Cause.VERSION, str(TREE_ERROR)),
)
def test_no_installed_version(tree: VersionReading, running: VersionReading, cause: Cause, detail: str) -> None:
    """When neither place says anything the check fails, and says why."""
    with pytest.raises(CheckError) as caught:
        merge_readings(tree, running, known("4.5.20", "4.5.20"), NOW)
    assert (caught.value.cause, caught.value.detail) == (cause, detail)


def test_no_place_to_look() -> None:
    """Without a tree and without a server the error names the variables to set."""
    with pytest.raises(CheckError, match="UPDATE_CHECK_MASTODON_VERSION") as caught:
        merge_readings(NOTHING, NOTHING, known(), NOW)
    assert Cause.VERSION is caught.value.cause


@cases(
    "tree running before since",
    ("from now on", "4.5.20", "4.5.19", known("4.5.20"), NOW),
    ("still", "4.5.20", "4.5.19", known("4.5.20", differs_since=EARLIER), EARLIER),
    ("from now on: another tree", "4.5.21", "4.5.19", known("4.5.20", differs_since=EARLIER), NOW),
    ("no longer", "4.5.20", "4.5.20", known("4.5.20", differs_since=EARLIER), None),
    ("the clock was a year ahead", "4.5.20", "4.5.19", known("4.5.20", differs_since=AHEAD), NOW),
    ("build metadata makes no difference", "4.5.20+glitch", "4.5.20", known("4.5.20"), None),
    ("nor is a label", "4.5.20-bark", "4.5.20", known("4.5.20"), None),
)
def test_since_when_they_differ(tree: str, running: str, before: ServerState, since: object) -> None:
    """Since when tree and server have been saying different things."""
    assert merge_readings(saw(tree), saw(running), before, NOW).differs_since == since


OLD, NEW = "4.5.19", "4.5.20"


def checks(answers: Sequence[str | None], every: timedelta = timedelta(minutes=30)) -> tuple[ServerState, datetime]:
    """Return the state after checks of a tree of 4.5.20 whose server gives these answers, None for no answer."""
    state, now = known(OLD, OLD), NOW
    for answer in answers:
        now += every
        running = SILENT if answer is None else saw(answer)
        state = replace(merge_readings(saw(NEW), running, state, now), checked_at=now)
        state = ServerState.from_json(json.loads(json.dumps(state.to_json())))
    return state, now


@cases(
    "answers is_due",
    ("an hour is not more than an hour", [OLD, OLD, OLD], False),
    ("more than an hour", [OLD, OLD, OLD, OLD], True),
    ("a server that could not be asked in between", [OLD, OLD, None, OLD], True),
    ("restarted since", [OLD, OLD, OLD, OLD, NEW], False),
    ("one of two processes, an hour", [NEW, OLD] * 3, False),
    ("one of two processes, more than an hour", [NEW, OLD] * 4, True),
    ("it may still be there", [NEW, OLD] * 4 + [NEW] * 3, True),
    ("it has not been seen for hours", [NEW, OLD] * 4 + [NEW] * 20, False),
    ("now and then", [OLD] + [NEW] * 20 + [OLD] + [NEW] * 20 + [OLD], False),
    ("restarted at once", [NEW] * 9, False),
)
def test_restart_is_due(answers: Sequence[str | None], *, is_due: bool) -> None:
    """A restart is due after more than an hour of difference within a day, also if only one process is left behind."""
    state, now = checks(answers)
    expected = RestartNotice(tree=version(NEW), running=version(OLD))
    assert restart_notice(state, now) == (expected if is_due else None)


@cases(
    "answers installed settled",
    ("restarted at once, or one of several processes", [NEW], NEW, False),
    ("restarted at once", [NEW, NEW], NEW, True),
    ("the server cannot be asked", [None], NEW, True),
    ("not restarted", [OLD], OLD, False),
    ("restarted, or one of several processes", [OLD, NEW], NEW, False),
    ("restarted", [OLD, NEW, NEW], NEW, True),
    ("one was left behind", [NEW, OLD], OLD, False),
    ("and may still be there", [NEW, OLD, NEW, NEW], OLD, False),
    ("and was restarted", [NEW, OLD] + [NEW] * 20, NEW, True),
)
def test_process_that_was_left_behind(answers: Sequence[str | None], installed: str, *, settled: bool) -> None:
    """The lowest version that any process reports is the installed one; until then nothing "is installed"."""
    state, now = checks(answers)
    assert state.installed == version(installed)
    assert is_settled(state, now) == settled


def test_no_closure_while_a_process_is_left_behind() -> None:
    """The notice that an update is installed waits, and one that was not sent yet is withdrawn."""
    rows, urgent = Rows(), patch(NEW, urgent=True)
    rows.plan(facts(user(1), answer=feed(urgent), closure=FollowUps.URGENT))
    rows.send()
    upgraded = facts(user(1), installed=NEW, answer=feed(), closure=FollowUps.URGENT)
    left_behind = replace(upgraded, known=replace(upgraded.known, tree=version(NEW), running=version(OLD)))
    assert planned(rows.plan(left_behind)) == []
    assert [identity for _, identity, _ in planned(rows.plan(upgraded))] == [f"update/{NEW}/installed"]
    withdrawn = rows.plan(left_behind)
    assert [reason for _, _, reason in changed(withdrawn)] == ["not_installed"]


def test_state_of_an_earlier_release_is_read() -> None:
    """It stored only since when they differ."""
    before = ServerState.from_json({"tree": NEW, "running": OLD, "differs_since": EARLIER.isoformat()})
    state = merge_readings(saw(NEW), saw(OLD), before, NOW + timedelta(minutes=31))
    assert restart_notice(state, NOW + timedelta(minutes=31)) is not None


@pytest.mark.parametrize(
    "knowledge",
    [
        known("4.5.20", "4.5.20"),
        known("4.5.20", None, differs_since=NOW - timedelta(days=2)),
        known(None, "4.5.20", differs_since=NOW - timedelta(days=2)),
    ],
)
def test_no_restart_without_a_difference(knowledge: ServerState) -> None:
    """No restart is due while nothing differs, or while one of the two is not known."""
    assert restart_notice(knowledge, NOW) is None


def test_support_date_does_not_outlive_its_branch() -> None:
    """After an upgrade to another branch the old branch's date is forgotten, before the feed is even asked."""
    before = known(installed=version("4.4.27"), support_ends_on=date(2026, 12, 17))
    same = merge_readings(saw("4.4.28"), NOTHING, before, NOW)
    other = merge_readings(saw("4.5.20"), NOTHING, before, NOW)
    assert (date(2026, 12, 17), None) == (same.support_ends_on, other.support_ends_on)


@cases(
    "first now lost",
    ("the server runs from another tree", known("4.5.19", "4.5.19"), known("4.5.19", "4.5.20"), True),
    ("an upgrade that is seen", known("4.5.19", "4.5.19"), known("4.5.20", "4.5.20"), False),
    ("before the server is restarted", known("4.5.19", "4.5.19"), known("4.5.20", "4.5.19"), False),
    ("nothing has changed", known("4.5.19", "4.5.19"), known("4.5.19", "4.5.19"), False),
    ("so from the start: not again and again", known("4.5.19", "4.5.20"), known("4.5.19", "4.5.20"), False),
    ("the server went back", known("4.5.20", "4.5.20"), known("4.5.20", "4.5.19"), False),
    ("the server did not answer at first", known("4.5.19"), known("4.5.19", "4.5.20"), False),
    ("the server does not answer any more", known("4.5.19", "4.5.19"), known("4.5.19"), False),
    ("there was no tree at first", known(), known("4.5.19", "4.5.20"), False),
)
def test_a_tree_that_was_replaced(first: ServerState, now: ServerState, *, lost: bool) -> None:
    """A server that has got ahead of a tree which has not changed runs from a tree that this process does not see."""
    assert has_lost_sight(first, now) == lost
