"""Shared fixtures of the end-to-end tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from end_to_end.databases import Staffed
from end_to_end.world import World
from simulators.postgres import Postgres


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Return a server whose neighbours all work; nothing newer is out."""
    with World(tmp_path) as world:
        yield world


@pytest.fixture
def mail_world(world: World) -> World:
    """Return the same with mail as the only sink."""
    world.only("email")
    return world


@pytest.fixture
def checked(world: World) -> World:
    """Return a server that was checked a moment ago, so that no daemon is missed."""
    world.check()
    return world


@pytest.fixture
def staffed(mail_world: World, postgres: Postgres) -> Staffed:
    """Return a server with two owners and a moderator; mail is the only sink, and everything else is default."""
    return Staffed(mail_world, postgres)
