"""What the crash tests share."""

from collections.abc import Iterator

import pytest

from processes.starters import Forked


@pytest.fixture(scope="session")
def forked() -> Iterator[Forked]:
    """Return a way to start the program that takes a tenth of the time."""
    with Forked() as forked:
        yield forked
