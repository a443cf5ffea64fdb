"""Shared fixtures of the tests against hostile parties."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from end_to_end.world import World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Return a server whose neighbours all work."""
    with World(tmp_path) as world:
        yield world
