"""Fixtures of the tests of settings."""

from pathlib import Path

import pytest

from config.machine import Machine


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """Return a machine on which nothing is set."""
    return Machine(tmp_path)
