"""What the tests of settings share."""

from pathlib import Path

import pytest

from config.machine import Machine


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """Return a machine on which nothing is set."""
    return Machine(tmp_path)
