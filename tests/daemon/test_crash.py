"""Bugs: whatever breaks is said in one line, and ends no more than it must.

The clock is what a program may be given from outside; here it is one that breaks.
"""

import sys
import threading
from pathlib import Path

from captured_logs import capture_logs
from daemon.program import LONGEST, Machine, wait_until
from mastodon_update_check.daemon import daemon as subject
from simulators.update_server import UpdateServer

BROKEN_CLOCK = """
import os, signal, sys, threading
from pathlib import Path
from mastodon_update_check import logs
from mastodon_update_check.daemon import daemon
from mastodon_update_check.app import App
from mastodon_update_check.jobs.clock import system_clock
from mastodon_update_check.config import load_settings
from mastodon_update_check.daemon.signals import SIGNALS

def clock():
    breaks = Path(sys.argv[1], threading.current_thread().name.partition("-")[0])
    if breaks.exists():
        breaks.unlink()
        raise RuntimeError("no time\\nat all")
    return system_clock()

signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
logs.configure("info", "json")
daemon.run(lambda: App(load_settings(os.environ), clock))
"""
EXITING_SINK = """
import sys
from pathlib import Path

class Quiet:
    def send(self, message):
        return None

def create(options):
    if Path(options["flag"]).exists():
        sys.exit(0)
    return Quiet()
"""


def break_in(machine: Machine, thread: str) -> None:
    """Let the clock break once, when this thread asks for the time."""
    (machine.home / thread).touch()


def test_crash_of_a_check(machine: Machine, update_server: UpdateServer) -> None:
    """A check that breaks is said in log and status, and the next one comes in its time."""
    machine.configure(UPDATE_CHECK_INTERVAL="1s")
    break_in(machine, "ThreadPoolExecutor")
    with machine.start_command(sys.executable, "-c", BROKEN_CLOCK, str(machine.home)) as daemon:
        crash = daemon.wait_for("check.crashed")
        assert "the check crashed: RuntimeError: no time at all" == crash["detail"]
        daemon.wait_status("the check crashed: RuntimeError: no time at all")
        daemon.wait_for("check.finished")
        wait_until(lambda: "crashed" not in daemon.systemd.statuses[-1], "recovery")
        assert 0 == daemon.end()
    assert update_server.asked


def test_crash_of_the_main_thread(machine: Machine) -> None:
    """When the thread that leads the others breaks, all end, with an exit code that systemd restarts on."""
    command = (sys.executable, "-c", BROKEN_CLOCK, str(machine.home))
    with machine.start_command(*command, WATCHDOG_USEC="1000000") as daemon:
        daemon.wait_told("READY=1")
        break_in(machine, "MainThread")
        assert 70 == daemon.process.wait(LONGEST)
        (crash,) = daemon.find("daemon.crashed")
        assert "RuntimeError: no time at all" == crash["detail"]


def test_sink_that_leaves_the_program(machine: Machine, tmp_path: Path) -> None:
    """A sink that calls sys.exit() while the settings are read again takes nobody with it."""
    flag = tmp_path / "flag"
    machine.install_sink("exiting", EXITING_SINK)
    machine.configure(UPDATE_CHECK_SINKS="exiting", UPDATE_CHECK_EXITING_FLAG=flag)
    with machine.start() as daemon:
        daemon.wait_told("READY=1")
        flag.touch()
        daemon.reload()
        daemon.wait_for("daemon.reload_failed")
        daemon.wait_told("READY=1", count=2)
        assert 0 == daemon.end()


def test_ledger_that_goes_and_comes_back(machine: Machine, update_server: UpdateServer) -> None:
    """Without a ledger the checks fail, which is said in log and status; when it is back, all is well again."""
    state = machine.home / "state"
    machine.environment["UPDATE_CHECK_LEDGER"] = str(state / "ledger.sqlite3")
    machine.configure(UPDATE_CHECK_INTERVAL="1s")
    with machine.start() as daemon:
        daemon.wait_for("delivery.sent")
        state.rename(machine.home / "away")
        daemon.wait_for("check.failed")
        daemon.wait_status("ledger.sqlite3 is not there")
        (machine.home / "away").rename(state)
        wait_until(lambda: daemon.systemd.statuses[-1].startswith("Mastodon 4.5.19"), "recovery")
        assert 0 == daemon.end()
    assert update_server.asked


def test_crash_of_a_thread() -> None:
    """A thread that ends by an error says so in one line, without a traceback."""
    thread = threading.Thread(name="lease of 1")
    with capture_logs() as lines:
        subject._log_crash(threading.ExceptHookArgs((ValueError, ValueError("x"), None, thread)))
        subject._log_crash(threading.ExceptHookArgs((ValueError, ValueError("x"), None, None)))
    assert ["lease of 1", "unknown"] == [line["thread"] for line in lines]
    assert {"ValueError: x"} == {line["detail"] for line in lines}
