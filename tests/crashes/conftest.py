"""Shared fixtures of the crash tests."""

from collections.abc import Iterator

import pytest

from processes.starters import Forked


@pytest.fixture(scope="session")
def forked() -> Iterator[Forked]:
    """Return a starter that forks, which takes a tenth of the time."""
    with Forked() as forked:
        yield forked
