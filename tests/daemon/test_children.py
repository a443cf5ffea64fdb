"""Delivering children: output of libraries, and bugs."""

import json
import os
import subprocess
import sys

from daemon.program import Machine
from simulators.update_server import UpdateServer

PRINTING_SINK = """
import gc, os, time

class Printing:
    def send(self, message):
        os.write(1, b"\\xff\\xfe\\n")
        end = time.monotonic() + 60
        while not gc.isenabled() and time.monotonic() < end:
            time.sleep(0.01)
        return f"collecting: {gc.isenabled()}"

def create(options):
    return Printing()
"""


def test_output_of_a_library_does_not_spoil_the_report(machine: Machine, update_server: UpdateServer) -> None:
    """Bytes on standard output that are not JSON, nor UTF-8, are ignored. Garbage is collected but at the start."""
    machine.install_sink("printing", PRINTING_SINK)
    machine.configure(UPDATE_CHECK_SINKS="printing", UPDATE_CHECK_INTERVAL="1s", UPDATE_CHECK_JITTER="0")
    with machine.start() as daemon:
        assert daemon.wait_for("delivery.sent")["reply"] == "collecting: True"
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
