"""Fixtures of the tests of `setup`."""

from pathlib import Path

import pytest

from install.host import Host


@pytest.fixture
def host(tmp_path: Path) -> Host:
    """Return a host with this program's units and nothing else."""
    return Host(prefix=tmp_path / "host")
