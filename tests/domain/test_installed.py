"""The installed version: the lower of what the tree says and what the running server says."""

from datetime import date, timedelta

import pytest

from domain.examples import NOW, version
from mastodon_update_check.domain.installed import (
    VersionReading,
    has_lost_sight,
    merge_sightings,
    restart_notice,
    sighting_warnings,
)
from mastodon_update_check.domain.notices import RestartNotice
from mastodon_update_check.domain.server_state import ServerState
from mastodon_update_check.errors import Cause, CheckError

NOTHING = VersionReading()
TREE_ERROR = CheckError(Cause.VERSION, "lib/mastodon/version.rb is missing")
SERVER_ERROR = CheckError(Cause.CONNECTION, "connection refused")
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
        pytest.param(
            VersionReading(error=TREE_ERROR), saw("4.5.19"), known(), "4.5.19", id="a tree that cannot be read"
        ),
        pytest.param(
            saw("4.5.20"), VersionReading(error=SERVER_ERROR), known(), "4.5.20", id="a server that never answered"
        ),
        pytest.param(
            saw("4.5.20"),
            VersionReading(error=SERVER_ERROR),
            known("4.5.20", "4.5.19"),
            "4.5.19",
            id="its last answer stands while the tree is the same",
        ),
        pytest.param(
            saw("4.5.21"),
            VersionReading(error=SERVER_ERROR),
            known("4.5.20", "4.5.19"),
            "4.5.21",
            id="but not when the tree has changed since",
        ),
        pytest.param(
            saw("4.5.20"), NOTHING, known("4.5.20", "4.5.19"), "4.5.20", id="nor when it is not to be asked any more"
        ),
        pytest.param(
            NOTHING,
            VersionReading(error=SERVER_ERROR),
            known(None, "4.5.19"),
            "4.5.19",
            id="without a tree its last answer stands, too",
        ),
    ],
)
def test_installed_version(tree: VersionReading, running: VersionReading, before: ServerState, installed: str) -> None:
    """DESIGN.md, section 6."""
    assert version(installed) == merge_sightings(tree, running, before, NOW).installed


@pytest.mark.parametrize(
    ("tree", "running", "cause", "detail"),
    [
        pytest.param(VersionReading(error=TREE_ERROR), NOTHING, Cause.VERSION, str(TREE_ERROR), id="the tree's error"),
        pytest.param(
            NOTHING, VersionReading(error=SERVER_ERROR), Cause.CONNECTION, str(SERVER_ERROR), id="the server's"
        ),
        pytest.param(
            VersionReading(error=TREE_ERROR),
            VersionReading(error=SERVER_ERROR),
            Cause.VERSION,
            str(TREE_ERROR),
            id="the tree's first",
        ),
    ],
)
def test_no_installed_version(tree: VersionReading, running: VersionReading, cause: Cause, detail: str) -> None:
    """When neither place says anything the check fails, and says why."""
    with pytest.raises(CheckError) as caught:
        merge_sightings(tree, running, known("4.5.20", "4.5.20"), NOW)
    assert (cause, detail) == (caught.value.cause, caught.value.detail)


def test_no_place_to_look() -> None:
    """Without a tree and without a server the error names the variables to set."""
    with pytest.raises(CheckError, match="UPDATE_CHECK_MASTODON_VERSION") as caught:
        merge_sightings(NOTHING, NOTHING, known(), NOW)
    assert Cause.VERSION is caught.value.cause


def test_what_could_not_be_asked_is_said() -> None:
    """Each error is a warning while the other place answered."""
    assert (str(SERVER_ERROR),) == sighting_warnings(saw("4.5.20"), VersionReading(error=SERVER_ERROR))
    assert () == sighting_warnings(saw("4.5.20"), NOTHING)


@pytest.mark.parametrize(
    ("tree", "running", "before", "since"),
    [
        pytest.param("4.5.20", "4.5.19", known(), NOW, id="from now on"),
        pytest.param("4.5.20", "4.5.19", known(differs_since=EARLIER), EARLIER, id="still"),
        pytest.param("4.5.20", "4.5.20", known(differs_since=EARLIER), None, id="no longer"),
        pytest.param("4.5.20", "4.5.19", known(differs_since=AHEAD), NOW, id="the clock was a year ahead"),
        pytest.param("4.5.20+glitch", "4.5.20", known(), None, id="build metadata is no difference"),
        pytest.param("4.5.20-bark", "4.5.20", known(), None, id="nor is a label"),
    ],
)
def test_since_when_they_differ(tree: str, running: str, before: ServerState, since: object) -> None:
    """Since when tree and server have been saying different things."""
    assert since == merge_sightings(saw(tree), saw(running), before, NOW).differs_since


@pytest.mark.parametrize(
    ("lasted", "is_due"),
    [
        pytest.param(timedelta(minutes=59), False, id="an upgrade takes a while"),
        pytest.param(timedelta(hours=1), False, id="an hour is not more than an hour"),
        pytest.param(timedelta(hours=1, microseconds=1), True, id="more than an hour"),
    ],
)
def test_restart_is_due(lasted: timedelta, *, is_due: bool) -> None:
    """After more than an hour of difference a restart is due, and that is a notice."""
    notice = restart_notice(known("4.5.20", "4.5.19", differs_since=NOW - lasted), NOW)
    expected = RestartNotice(tree=version("4.5.20"), running=version("4.5.19"))
    assert (expected if is_due else None) == notice


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
    """E9: after an upgrade to another branch the old branch's date is forgotten, before the feed is even asked."""
    before = known(installed=version("4.4.27"), support_ends_on=date(2026, 12, 17))
    same = merge_sightings(saw("4.4.28"), NOTHING, before, NOW)
    other = merge_sightings(saw("4.5.20"), NOTHING, before, NOW)
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
    assert lost == has_lost_sight(first, now)
