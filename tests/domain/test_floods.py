"""Floods of releases: which answers are refused, and what is remembered."""

import json
from collections.abc import Iterable

import pytest

from domain.examples import NOW, cases, days, feed, patch, update, version
from mastodon_update_check.domain.feeds import Feed
from mastodon_update_check.domain.server.state import MOST_SEEN, ServerState
from mastodon_update_check.errors import Cause, CheckError

INSTALLED = version("4.5.0")


def known(*answers: tuple[int, Iterable[int]]) -> ServerState:
    """Return the state after good checks: each so many days from now, with these patches."""
    state = ServerState(installed=INSTALLED)
    for day, numbers in answers:
        state = state.succeeded(NOW + days(day), INSTALLED, listing(numbers), ())
    return ServerState.from_json(json.loads(json.dumps(state.to_json())))


def listing(numbers: Iterable[int]) -> Feed:
    """Return an answer with these patches."""
    return feed(*(patch(f"4.5.{number}", urgent=True) for number in numbers))


@cases(
    "state numbers accepted",
    ("as many as may be new at once", known(), range(1, 21), True),
    ("one more", known(), range(1, 22), False),
    ("known ones do not count", known((0, range(1, 21))), range(1, 41), True),
    ("also when they were not listed in between", known((-2, range(1, 21)), (-1, [])), range(1, 41), True),
    ("sixty in a day", known((0, range(1, 21)), (0, range(21, 41))), range(41, 61), True),
    ("more than sixty", known((0, range(1, 21)), (0, range(21, 41)), (0, range(41, 61))), [61], False),
    ("none new after sixty", known((0, range(1, 21)), (0, range(21, 41)), (0, range(41, 61))), range(1, 61), True),
    ("sixty on the days before", known((-1, range(1, 21)), (-1, range(21, 41)), (-1, range(41, 61))), [61], True),
)
def test_flood_is_refused(state: ServerState, numbers: Iterable[int], *, accepted: bool) -> None:
    """More than 20 releases never seen before in one answer, or 60 in a day, are not an answer."""
    if accepted:
        state.refuse_flood(listing(numbers), INSTALLED, NOW)
        return
    with pytest.raises(CheckError, match="UPDATE_CHECK_URL") as caught:
        state.refuse_flood(listing(numbers), INSTALLED, NOW)
    assert caught.value.cause is Cause.CONTENT


def test_older_releases_do_not_count() -> None:
    """A mirror may list every release there ever was."""
    old = feed(*(update(f"4.4.{number}") for number in range(500)))
    ServerState().refuse_flood(old, INSTALLED, NOW)
    assert ServerState().succeeded(NOW, INSTALLED, old, ()).seen_versions == ()


def test_ledger_of_an_earlier_release_knows_its_updates() -> None:
    """It stored the last answer only."""
    updates = tuple(patch(f"4.5.{number}") for number in range(1, 31))
    ServerState(updates=updates).refuse_flood(listing(range(1, 31)), INSTALLED, NOW)


def test_installed_releases_are_forgotten_and_the_number_is_bounded() -> None:
    """A hostile server cannot make the ledger grow."""
    state = ServerState(seen_versions=tuple((NOW, f"4.5.{number}") for number in range(1, MOST_SEEN + 50)))
    assert len(state.succeeded(NOW, INSTALLED, listing([9_999]), ()).seen_versions) == MOST_SEEN
    assert state.succeeded(NOW, version("4.6.0"), listing([]), ()).seen_versions == ()
