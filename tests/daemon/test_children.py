"""Delivering children: garbage collection, and output of libraries."""

import json
import os
import subprocess
import sys

from daemon.program import Machine
from simulators.update_server import UpdateServer

WATCHING_SINK = """
import gc, time

class Watching:
    def send(self, message):
        end = time.monotonic() + 60
        while not gc.isenabled() and time.monotonic() < end:
            time.sleep(0.01)
        return f"collecting: {gc.isenabled()}"

def create(options):
    return Watching()
"""


def test_delivering_child_collects_garbage(machine: Machine, update_server: UpdateServer) -> None:
    """Garbage collection is off only while the program starts."""
    machine.install_sink("watching", WATCHING_SINK)
    machine.configure(UPDATE_CHECK_SINKS="watching")
    with machine.start() as daemon:
        assert daemon.wait_for("delivery.sent")["reply"] == "collecting: True"
        assert daemon.end() == 0
    assert update_server.asked == ["4.5.19"]


PRINTING_SINK = """
import os

class Printing:
    def send(self, message):
        os.write(1, b"\\xff\\xfe\\n")

def create(options):
    return Printing()
"""


def test_output_of_a_library_does_not_spoil_the_report(machine: Machine, update_server: UpdateServer) -> None:
    """Bytes on standard output that are not JSON, nor UTF-8, are ignored."""
    machine.install_sink("printing", PRINTING_SINK)
    machine.configure(UPDATE_CHECK_SINKS="printing", UPDATE_CHECK_INTERVAL="1s", UPDATE_CHECK_JITTER="0")
    update_server.publish("4.5.20")
    with machine.start() as daemon:
        daemon.wait_for("delivery.sent")
        update_server.publish("4.5.21")
        daemon.wait_for("delivery.sent", 2)
        assert daemon.end() == 0


def test_bug_in_a_child_is_one_line_in_the_log() -> None:
    """A job that this program does not have stands for any error that it does not expect."""
    order = json.dumps({"parent": os.getpid()})
    command = [sys.executable, "-m", "mastodon_update_check", "job", "unknown"]
    ended = subprocess.run(command, input=order, capture_output=True, text=True, check=False)
    assert ended.returncode == 70
    (line,) = ended.stderr.splitlines()
    logged = json.loads(line)
    assert (logged["event"], logged["job"]) == ("job.crashed", "unknown")
    assert "please report it: KeyError in job.py, line" in logged["detail"]
