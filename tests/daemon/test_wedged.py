"""What hangs past its own limit: the watchdog is fed no longer, and the status line says what it is.

The clock is what a program may be given from outside; here it is one in which a thread hangs for ever.
"""

import sys
import time

import pytest

from daemon.program import Machine, wait_until
from simulators.update_server import UpdateServer

HANGING_CLOCK = """
import os, signal, sys, threading
from datetime import timedelta
from mastodon_update_check import logs
from mastodon_update_check.daemon import daemon
from mastodon_update_check.app import App
from mastodon_update_check.jobs.clock import system_clock
from mastodon_update_check.jobs.operations import Operations
from mastodon_update_check.config import load_settings
from mastodon_update_check.daemon.signals import SIGNALS

class Impatient(Operations):
    def running(self, name, limit):
        return super().running(name, timedelta(seconds=1))

def clock():
    if threading.current_thread().name.startswith(sys.argv[1]):
        threading.Event().wait()
    return system_clock()

def load():
    app = App(load_settings(os.environ), clock)
    app.operations = Impatient()
    return app

signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
logs.configure("info", "json")
daemon.run(load)
"""


@pytest.mark.parametrize(
    ("thread", "operation"),
    [
        pytest.param("ThreadPoolExecutor", "check", id="check"),
        pytest.param("worker of log", "worker of log", id="worker"),
    ],
)
def test_hanging_past_the_limit(machine: Machine, update_server: UpdateServer, thread: str, operation: str) -> None:
    """A check, or a worker, that hangs past its limit stops the watchdog and the sign of life."""
    command = (sys.executable, "-c", HANGING_CLOCK, thread)
    with machine.start_command(*command, WATCHDOG_USEC="1000000") as daemon:
        daemon.wait_for("daemon.stuck", operations=[operation])
        daemon.wait_status(f"stuck: {operation}")
        fed = len(daemon.systemd.feedings())
        assert fed >= 1
        (beat,) = machine.query("SELECT beat_at FROM instance")
        time.sleep(1.5)  # more than systemd waits
        assert fed == len(daemon.systemd.feedings())
        assert (beat,) == tuple(machine.query("SELECT beat_at FROM instance"))
        wait_until(lambda: f"stuck: {operation}" in daemon.systemd.statuses[-1], "it still says so")
        daemon.process.kill()
    assert update_server.asked == ([] if operation == "check" else ["4.5.19"])
