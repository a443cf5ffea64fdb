"""A sink that hangs delays no other sink and no check; a supervisor that hangs is left to the watchdog."""

import sys
import time
from pathlib import Path

from daemon.program import Machine, wait_until
from simulators.http_server import HttpServer, Reply
from simulators.update_server import UpdateServer

HANGING_SINK = """
import threading

class Hanging:
    def send(self, message):
        threading.Event().wait()

def create(options):
    return Hanging()
"""
WEDGED = """
import os, threading
from mastodon_update_check.cli.main import main
from mastodon_update_check.daemon.owner import LedgerOwner

keep = LedgerOwner.keep

def hang(owner):
    if os.path.exists({flag!r}):
        threading.Event().wait()
    return keep(owner)

LedgerOwner.keep = hang
main()
"""


def test_hanging_sink_delays_no_other_sink_and_no_check(machine: Machine, update_server: UpdateServer) -> None:
    """While it hangs, the next release is found and delivered by the others; a stop does not wait for it for long."""
    machine.install_sink("hanging", HANGING_SINK)
    with HttpServer(lambda _: Reply(204)) as webhook:
        machine.configure(
            UPDATE_CHECK_SINKS="hanging,webhook,log",
            UPDATE_CHECK_WEBHOOK_URL=webhook.url("/hook"),
            UPDATE_CHECK_INTERVAL="1s",
            UPDATE_CHECK_JITTER="0",
        )
        with machine.start(WATCHDOG_USEC="2000000") as daemon:
            daemon.wait_for("delivery.sent", sink="webhook")
            wait_until(lambda: ("hanging", 1, None) in machine.attempts, "the sink that hangs")
            update_server.publish("4.5.21")
            daemon.wait_for("check.finished", pending=["4.5.20", "4.5.21"])
            daemon.wait_for("delivery.sent", count=2, sink="webhook")
            daemon.wait_for("delivery.sent", count=2, sink="log")
            daemon.wait_for("check.finished", count=3)
            shown = len(daemon.systemd.statuses)
            time.sleep(1)
            assert len(daemon.systemd.statuses) < shown + 20  # the supervisor waits for events, and does not poll
            assert ("hanging", 1, None) in machine.attempts
            assert daemon.end() == 0


def test_wedged_supervisor_does_not_feed_the_watchdog(machine: Machine, tmp_path: Path) -> None:
    """Only the thread that does the work feeds it, so that systemd restarts a daemon whose work stands still."""
    flag = tmp_path / "flag"
    script = WEDGED.format(flag=str(flag))
    with machine.start_command(sys.executable, "-c", script, "run", WATCHDOG_USEC="1000000") as daemon:
        wait_until(lambda: len(daemon.systemd.feedings()) >= 2, "the watchdog is fed")
        flag.touch()
        time.sleep(1)  # the round in progress
        fed = len(daemon.systemd.feedings())
        time.sleep(1.5)  # the watchdog's interval is one second
        assert len(daemon.systemd.feedings()) == fed
        assert not daemon.is_over
        daemon.process.kill()
