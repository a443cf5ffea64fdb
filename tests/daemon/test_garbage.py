"""Garbage: looked for while the daemon works, though not while it starts."""

from daemon.program import Machine
from simulators.update_server import UpdateServer

WATCHING_SINK = """
import gc, time

class Watching:
    def send(self, message):
        end = time.monotonic() + 30
        while not gc.isenabled() and time.monotonic() < end:
            time.sleep(0.01)
        return f"collecting: {gc.isenabled()}"

def create(options):
    return Watching()
"""


def test_garbage_is_looked_for(machine: Machine, update_server: UpdateServer) -> None:
    """A daemon that runs for months collects what is left behind in circles."""
    machine.install_sink("watching", WATCHING_SINK)
    machine.configure(UPDATE_CHECK_SINKS="watching")
    with machine.start() as daemon:
        assert "collecting: True" == daemon.wait_for("delivery.sent")["reply"]
        assert 0 == daemon.end()
    assert ["4.5.19"] == update_server.asked
