"""Shared fixtures of the daemon's tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from daemon.program import Machine
from simulators.update_server import UpdateServer


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """Return a machine on which 4.5.19 is installed, and whose checks are off."""
    return Machine(tmp_path)


@pytest.fixture
def update_server(machine: Machine) -> Iterator[UpdateServer]:
    """Return an update server that the machine asks, and that has published 4.5.20."""
    with UpdateServer() as server:
        server.publish("4.5.20")
        machine.configure(UPDATE_CHECK_URL=server.url)
        yield server
