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


PRINTING_SINK = """
import os

class Printing:
    def send(self, message):
        os.write(1, b"\\xff\\xfe\\n")

def create(options):
    return Printing()
"""


def test_library_that_prints_other_bytes_than_utf8(machine: Machine, update_server: UpdateServer) -> None:
    """It spoils neither the report of its job nor the jobs that follow."""
    machine.install_sink("printing", PRINTING_SINK)
    machine.configure(UPDATE_CHECK_SINKS="printing", UPDATE_CHECK_INTERVAL="1s", UPDATE_CHECK_JITTER="0")
    update_server.publish("4.5.20")
    with machine.start() as daemon:
        daemon.wait_for("delivery.sent")
        update_server.publish("4.5.21")
        daemon.wait_for("delivery.sent", 2)
        assert 0 == daemon.end()
