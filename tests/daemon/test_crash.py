"""Child processes that crash, are killed, exceed their time limit or cannot start: each is reported and retried."""

import os
import resource
import signal
import sys
import time
from pathlib import Path

import pytest

from daemon.program import Daemon, Machine, wait_until
from simulators.http_server import hang
from simulators.update_server import UpdateServer

SHORT_LIMITS = """
from datetime import timedelta
from mastodon_update_check.cli.main import main
from mastodon_update_check.daemon import supervisor

supervisor.CHECK_LIMIT = timedelta(seconds={check})
supervisor.GRACE = timedelta(seconds={grace})
main()
"""
CRASHING_SINK = """
import os, signal

class Crashing:
    def send(self, message):
        os.kill(os.getpid(), signal.SIGKILL)

def create(options):
    return Crashing()
"""


def start(machine: Machine, *, check: float = 300, grace: float = 300, **environment: str) -> Daemon:
    """Start the daemon with other limits, in seconds."""
    script = SHORT_LIMITS.format(check=check, grace=grace)
    return machine.start_command(sys.executable, "-c", script, "run", **environment)


def find_job(daemon: Daemon, name: str) -> int:
    """Return the process id of a job."""
    tasks = Path(f"/proc/{daemon.process.pid}/task")
    children = (word for task in tasks.iterdir() for word in (task / "children").read_text().split())
    commands = {child: Path(f"/proc/{child}/cmdline").read_bytes().split(b"\0")[:-1] for child in children}
    (found,) = (int(child) for child, command in commands.items() if command[-2:] == [b"job", name.encode()])
    return found


def test_sink_that_crashes_its_process(machine: Machine, update_server: UpdateServer) -> None:
    """The crash is reported, costs the other sinks nothing, and is not repeated in a loop."""
    machine.install_sink("crashing", CRASHING_SINK)
    failures = "SELECT failures FROM message WHERE sink = 'crashing'"
    machine.configure(UPDATE_CHECK_SINKS="crashing,log", UPDATE_CHECK_INTERVAL="1s", UPDATE_CHECK_JITTER="0")
    with machine.start() as daemon:
        failed = daemon.wait_for("delivery.failed")
        assert failed["detail"] == "the job deliver ended by signal 9 and without a result"
        daemon.wait_status("the job deliver ended by signal 9")
        wait_until(lambda: ("log", "sent") in {(sink, outcome) for sink, _, outcome in machine.attempts}, "the log")
        wait_until(lambda: machine.query(failures)[0][0] > 0, "a pause after the second crash")
        checks = len(daemon.find("check.finished"))
        daemon.wait_for("check.finished", count=checks + 1)
        daemon.wait_for("delivery.recovered")
        assert daemon.end() == 0
    assert [outcome for sink, _, outcome in machine.attempts if sink == "crashing"][:2] == ["unknown", "unknown"]
    assert update_server.asked


@pytest.mark.parametrize(
    ("limit", "detail"),
    [
        (300, "the job work ended by signal 9 and without a result"),
        (6, "it took longer than 0.1 minutes, and was ended"),
    ],
    ids=["killed", "time limit"],
)
def test_check_that_does_not_end(machine: Machine, update_server: UpdateServer, limit: float, detail: str) -> None:
    """It is a failed check in log, status line and ledger; the next one is on time."""
    machine.configure(UPDATE_CHECK_INTERVAL="2s", UPDATE_CHECK_JITTER="0")
    update_server.fail(hang())
    with start(machine, check=limit, WATCHDOG_USEC="1000000") as daemon:
        if limit == 300:
            wait_until(lambda: update_server.asked, "the check")
            os.kill(find_job(daemon, "work"), signal.SIGKILL)
        daemon.wait_for("check.failed", detail=detail)
        daemon.wait_status(detail)
        update_server.recover()
        if limit == 300:  # a loaded machine may exceed the other limit again
            daemon.wait_for("check.failed", cause="internal", detail=detail)
            daemon.wait_for("check.finished", pending=["4.5.20"])
            wait_until(lambda: detail not in daemon.systemd.statuses[-1], "recovery")
        assert daemon.end() == 0


def test_job_that_cannot_be_started(machine: Machine, update_server: UpdateServer) -> None:
    """Log and status line say so; when no check can begin for too long, the watchdog is not fed until one can."""
    machine.configure(UPDATE_CHECK_INTERVAL="1s", UPDATE_CHECK_JITTER="0")
    with start(machine, grace=4, WATCHDOG_USEC="1000000") as daemon:
        daemon.wait_for("delivery.sent")
        pid = daemon.process.pid
        limits = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (3, limits[1]))
        failed = daemon.wait_for("job.failed")
        assert failed["detail"].endswith(" could not be started: [Errno 24] Too many open files")
        problems = (" could not be started: ", "no check has begun for too long")
        wait_until(lambda: all(one in daemon.systemd.statuses[-1] for one in problems), "both problems in the status")
        fed = len(daemon.systemd.feedings())
        shown = len(daemon.systemd.statuses)
        time.sleep(1.5)  # the watchdog's interval is one second
        assert len(daemon.systemd.feedings()) == fed
        assert len(daemon.systemd.statuses) < shown + 20  # it tries again at intervals
        resource.prlimit(pid, resource.RLIMIT_NOFILE, limits)
        daemon.wait_for("job.recovered")
        daemon.wait_for("schedule.recovered")
        wait_until(lambda: len(daemon.systemd.feedings()) > fed, "the watchdog is fed again")
        assert daemon.end() == 0
    assert update_server.asked
