"""The installed version: the lower of what the tree says and what the running server says."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest

from domain.examples import NOW, facts, feed, patch, user, version
from domain.rows import Rows, changed, planned
from mastodon_update_check.domain.notices import RestartNotice
from mastodon_update_check.domain.recipients import FollowUps
from mastodon_update_check.domain.server.installed import (
    VersionReading,
    has_lost_sight,
    is_settled,
    merge_readings,
    reading_warnings,
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


@pytest.mark.parametrize(
    ("tree", "running", "before", "installed"),
    [
        pytest.param(saw("4.5.20"), saw("4.5.20"), known(), "4.5.20", id="both say the same"),
        pytest.param(saw("4.5.20"), saw("4.5.19"), known(), "4.5.19", id="not restarted: what runs counts"),
        pytest.param(saw("4.5.19"), saw("4.5.20"), known(), "4.5.19", id="the tree was set back"),
        pytest.param(saw("4.5.20"), NOTHING, known(), "4.5.20", id="no server to ask"),
        pytest.param(NOTHING, saw("4.5.19"), known(), "4.5.19", id="no tree to read"),
        pytest.param(UNREADABLE, saw("4.5.19"), known(), "4.5.19", id="a tree that cannot be read"),
        pytest.param(saw("4.5.20"), SILENT, known(), "4.5.20", id="a server that never answered"),
        pytest.param(
            saw("4.5.20"),
            SILENT,
            known("4.5.20", "4.5.19"),
            "4.5.19",
            id="its last answer stands while the tree is the same",
        ),
        pytest.param(
            saw("4.5.21"),
            SILENT,
            known("4.5.20", "4.5.19"),
            "4.5.21",
            id="but not when the tree has changed since",
        ),
        pytest.param(
            saw("4.5.20"), NOTHING, known("4.5.20", "4.5.19"), "4.5.20", id="nor when it is not to be asked any more"
        ),
        pytest.param(NOTHING, SILENT, known(None, "4.5.19"), "4.5.19", id="without a tree its last answer stands, too"),
    ],
)
def test_installed_version(tree: VersionReading, running: VersionReading, before: ServerState, installed: str) -> None:
    """The lower of the two sources is the installed version."""
    assert version(installed) == merge_readings(tree, running, before, NOW).installed


@pytest.mark.parametrize(
    ("tree", "running", "cause", "detail"),
    [
        pytest.param(UNREADABLE, NOTHING, Cause.VERSION, str(TREE_ERROR), id="the tree's error"),
        pytest.param(NOTHING, SILENT, Cause.CONNECTION, str(SERVER_ERROR), id="the server's"),
        pytest.param(UNREADABLE, SILENT, Cause.VERSION, str(TREE_ERROR), id="the tree's first"),
    ],
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


def test_errors_of_one_source_are_warnings() -> None:
    """Each error is a warning while the other place answered."""
    assert (str(SERVER_ERROR),) == reading_warnings(saw("4.5.20"), SILENT)
    assert reading_warnings(saw("4.5.20"), NOTHING) == ()


@pytest.mark.parametrize(
    ("tree", "running", "before", "since"),
    [
        pytest.param("4.5.20", "4.5.19", known("4.5.20"), NOW, id="from now on"),
        pytest.param("4.5.20", "4.5.19", known("4.5.20", differs_since=EARLIER), EARLIER, id="still"),
        pytest.param("4.5.21", "4.5.19", known("4.5.20", differs_since=EARLIER), NOW, id="from now on: another tree"),
        pytest.param("4.5.20", "4.5.20", known("4.5.20", differs_since=EARLIER), None, id="no longer"),
        pytest.param("4.5.20", "4.5.19", known("4.5.20", differs_since=AHEAD), NOW, id="the clock was a year ahead"),
        pytest.param("4.5.20+glitch", "4.5.20", known("4.5.20"), None, id="build metadata makes no difference"),
        pytest.param("4.5.20-bark", "4.5.20", known("4.5.20"), None, id="nor is a label"),
    ],
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


@pytest.mark.parametrize(
    ("answers", "is_due"),
    [
        pytest.param([OLD, OLD, OLD], False, id="an hour is not more than an hour"),
        pytest.param([OLD, OLD, OLD, OLD], True, id="more than an hour"),
        pytest.param([OLD, OLD, None, OLD], True, id="a server that could not be asked in between"),
        pytest.param([OLD, OLD, OLD, OLD, NEW], False, id="restarted since"),
        pytest.param([NEW, OLD] * 3, False, id="one of two processes, an hour"),
        pytest.param([NEW, OLD] * 4, True, id="one of two processes, more than an hour"),
        pytest.param([NEW, OLD] * 4 + [NEW] * 3, True, id="it may still be there"),
        pytest.param([NEW, OLD] * 4 + [NEW] * 20, False, id="it has not been seen for hours"),
        pytest.param([OLD] + [NEW] * 20 + [OLD] + [NEW] * 20 + [OLD], False, id="now and then"),
        pytest.param([NEW] * 9, False, id="restarted at once"),
    ],
)
def test_restart_is_due(answers: Sequence[str | None], *, is_due: bool) -> None:
    """A restart is due after more than an hour of difference within a day, also if only one process is left behind."""
    state, now = checks(answers)
    expected = RestartNotice(tree=version(NEW), running=version(OLD))
    assert restart_notice(state, now) == (expected if is_due else None)


@pytest.mark.parametrize(
    ("answers", "installed", "settled"),
    [
        pytest.param([NEW], NEW, False, id="restarted at once, or one of several processes"),
        pytest.param([NEW, NEW], NEW, True, id="restarted at once"),
        pytest.param([None], NEW, True, id="the server cannot be asked"),
        pytest.param([OLD], OLD, False, id="not restarted"),
        pytest.param([OLD, NEW], NEW, False, id="restarted, or one of several processes"),
        pytest.param([OLD, NEW, NEW], NEW, True, id="restarted"),
        pytest.param([NEW, OLD], OLD, False, id="one was left behind"),
        pytest.param([NEW, OLD, NEW, NEW], OLD, False, id="and may still be there"),
        pytest.param([NEW, OLD] + [NEW] * 20, NEW, True, id="and was restarted"),
    ],
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


@pytest.mark.parametrize(
    ("first", "now", "lost"),
    [
        pytest.param(
            known("4.5.19", "4.5.19"), known("4.5.19", "4.5.20"), True, id="the server runs from another tree"
        ),
        pytest.param(known("4.5.19", "4.5.19"), known("4.5.20", "4.5.20"), False, id="an upgrade that is seen"),
        pytest.param(known("4.5.19", "4.5.19"), known("4.5.20", "4.5.19"), False, id="before the server is restarted"),
        pytest.param(known("4.5.19", "4.5.19"), known("4.5.19", "4.5.19"), False, id="nothing has changed"),
        pytest.param(
            known("4.5.19", "4.5.20"), known("4.5.19", "4.5.20"), False, id="so from the start: not again and again"
        ),
        pytest.param(known("4.5.20", "4.5.20"), known("4.5.20", "4.5.19"), False, id="the server went back"),
        pytest.param(known("4.5.19"), known("4.5.19", "4.5.20"), False, id="the server did not answer at first"),
        pytest.param(known("4.5.19", "4.5.19"), known("4.5.19"), False, id="the server does not answer any more"),
        pytest.param(known(), known("4.5.19", "4.5.20"), False, id="there was no tree at first"),
    ],
)
def test_a_tree_that_was_replaced(first: ServerState, now: ServerState, *, lost: bool) -> None:
    """A server that has got ahead of a tree which has not changed runs from a tree that this process does not see."""
    assert has_lost_sight(first, now) == lost
