"""The daemon as systemd starts it: the first check, READY, STATUS, the watchdog; what is served while what hangs."""

import os
import shutil
import signal
import sqlite3
import subprocess
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from daemon.program import LONGEST, PROGRAM, Machine, wait_until
from mastodon_update_check.ledger.ledger import Ledger
from simulators.http_server import HttpServer, Reply, unused_port
from simulators.smtp_server import SmtpServer
from simulators.update_server import UpdateServer

HANGING_SINK = """
import threading
from datetime import timedelta

class Hanging:
    attempt_limit = timedelta(seconds=1)

    def send(self, message):
        threading.Event().wait()

def create(options):
    return Hanging()
"""
CRASHING_SINK = """
class Crashing:
    def send(self, message):
        return "ok"

    def close(self):
        raise RuntimeError("grüße → \\nWATCHDOG_USEC=1\\nREADY=1")

def create(options):
    return Crashing()
"""
SLOW_SINK = """
import time
from pathlib import Path

def create(options):
    Path(options["begun"]).touch()
    while not Path(options["go"]).exists():
        time.sleep(0.02)
    return Slow()

class Slow:
    def send(self, message):
        return None
"""


def test_a_life(machine: Machine, update_server: UpdateServer) -> None:
    """Ready with ledger and scheduler; checks at once, tells, says how it stands, and stops when it is told to."""
    with machine.start() as daemon:
        daemon.wait_told("READY=1")
        assert machine.ledger.exists()
        daemon.wait_for("check.finished", pending=["4.5.20"])
        daemon.wait_for("delivery.sent", sink="log")
        daemon.wait_status("Mastodon 4.5.19, pending: 4.5.20; checked ")
        assert ["4.5.19"] == update_server.asked
        wait_until(lambda: machine.run("status", "--alive") == 0, "a sign of life")
        assert 0 == daemon.end()
        assert ["READY=1", "STOPPING=1"] == [line for line in daemon.systemd.lines if not line.startswith("STATUS=")]
    assert 1 == machine.run("status", "--alive")
    with Ledger.open(machine.ledger) as ledger:
        ledger.beat("social.example", datetime.now(UTC) - timedelta(minutes=4))
    assert 1 == machine.run("status", "--alive")


@pytest.mark.parametrize(
    ("spoil", "code", "sentence"),
    [
        (lambda machine: machine.ledger.mkdir(), 74, "the ledger "),
        (lambda machine: machine.ledger.write_text("no ledger at all, but long enough to be one" * 20), 74, "damaged"),
        (lambda machine: machine.configure(UPDATE_CHECK_INTERVAL="soon"), 78, "UPDATE_CHECK_INTERVAL"),
        (lambda machine: machine.configure(UPDATE_CHECK_SINKS="pigeon"), 78, "pigeon|not installed"),
    ],
)
def test_never_ready_without_what_it_needs(machine: Machine, spoil: object, code: int, sentence: str) -> None:
    """What cannot work never says READY=1, but says why."""
    assert callable(spoil)
    spoil(machine)
    with machine.start() as daemon:
        assert code == daemon.process.wait(LONGEST)
        (status,) = daemon.systemd.statuses
        assert any(part in status for part in sentence.split("|"))
        assert "READY=1" not in daemon.systemd.lines


def test_nothing_is_set_up(machine: Machine) -> None:
    """As it is installed it does not pretend to work, but says what to do; systemd does not start it over and over."""
    for name in ("UPDATE_CHECK_MASTODON_ROOT", "UPDATE_CHECK_LEDGER"):
        del machine.environment[name]
    shutil.copy(Path(__file__).parents[2] / "packaging" / "config.env", machine.home / "config.env")
    with machine.start() as daemon:
        assert 78 == daemon.process.wait(LONGEST)
        daemon.systemd.settle()
        assert "READY=1" not in daemon.systemd.lines
        (status,) = daemon.systemd.statuses
        assert "run mastodon-update-check setup as root" in status.replace("`", "")


def test_checking_off(machine: Machine, update_server: UpdateServer) -> None:
    """A blank UPDATE_CHECK_URL is said at start; nothing is asked, and the daemon stays."""
    machine.configure(UPDATE_CHECK_URL="")
    with machine.start() as daemon:
        daemon.wait_for("daemon.off", reason="UPDATE_CHECK_URL is blank")
        daemon.wait_for("check.skipped")
        daemon.wait_status("checking is off: UPDATE_CHECK_URL is blank")
        assert not daemon.is_over
        assert [] == update_server.http.requests
        assert 0 == daemon.end()


def test_hostile_text(machine: Machine, update_server: UpdateServer) -> None:
    """Whatever text turns up, a status stays one line of UTF-8, and so does a line of the log."""
    assert update_server.url
    machine.install_sink("crashing", CRASHING_SINK)
    machine.configure(UPDATE_CHECK_SINKS="log,crashing")
    with machine.start() as daemon:
        daemon.wait_status("RuntimeError: grüße → WATCHDOG_USEC=1 READY=1")
        crash = daemon.wait_for("delivery.crashed", sink="crashing")
        assert "grüße → WATCHDOG_USEC=1 READY=1" in crash["detail"]
        assert 0 == daemon.end()
        assert 1 == daemon.systemd.lines.count("READY=1")
        assert "WATCHDOG_USEC=1" not in daemon.systemd.lines


def test_watchdog_is_fed(machine: Machine) -> None:
    """WATCHDOG=1 comes more often than systemd demands, from the process that systemd means."""
    command = ("sh", "-c", 'WATCHDOG_PID=$$ exec "$@"', "sh")
    with machine.start(*command, WATCHDOG_USEC="3000000") as daemon:
        wait_until(lambda: len(daemon.systemd.feedings()) >= 4, "feedings")
        times = daemon.systemd.feedings()
        assert all(later - earlier < 3 for earlier, later in pairwise(times))


def test_watchdog_of_another_process(machine: Machine) -> None:
    """A watchdog that waits for another process is none of ours."""
    with machine.start(WATCHDOG_USEC="100000", WATCHDOG_PID="1") as daemon:
        daemon.wait_for("check.skipped")
        daemon.wait_status("checking is off")
        assert 0 == daemon.end()
        assert [] == daemon.systemd.feedings()


def test_what_hangs_delays_nobody_else(machine: Machine, update_server: UpdateServer) -> None:
    """A hanging sink, a dead webhook and a refused address stop nobody; the watchdog is fed until time is up."""
    machine.install_sink("hanging", HANGING_SINK)
    with HttpServer(lambda _: Reply(204)) as webhook, SmtpServer() as smtp:
        smtp.refused["gone@social.example"] = "550 5.1.1 no such user"
        machine.configure(
            SMTP_SERVER="127.0.0.1",
            SMTP_PORT=smtp.port,
            UPDATE_CHECK_RECIPIENTS="gone@social.example,ops@social.example",
            UPDATE_CHECK_WEBHOOK_URL=webhook.url("/good"),
            UPDATE_CHECK_WEBHOOK_DEAD_URL=f"http://127.0.0.1:{unused_port()}/",
            UPDATE_CHECK_SINKS="hanging,webhook,email,log",
        )
        with machine.start(WATCHDOG_USEC="1000000") as daemon:
            wait_until(lambda: smtp.mails and webhook.requests, "the others")
            daemon.wait_for("delivery.failed", sink="email")
            daemon.wait_for("delivery.deferred", sink="webhook.dead")
            daemon.wait_for("daemon.stuck", operations=["delivery by hanging"])
            daemon.wait_status("stuck: delivery by hanging")
            fed = len(daemon.systemd.feedings())
            assert fed >= 1
            time.sleep(1)  # what systemd waits for
            assert fed == len(daemon.systemd.feedings())
            daemon.send(signal.SIGTERM)
            daemon.wait_told("STOPPING=1")
            assert not daemon.is_over
            assert 0 == daemon.end(signal.SIGTERM, seconds=5)
    assert ["ops@social.example"] == [mail.recipient for mail in smtp.mails]
    assert ["4.5.19"] == update_server.asked


def test_two_daemons_tell_once(machine: Machine, update_server: UpdateServer) -> None:
    """Two processes that share a ledger tell everybody once."""
    with SmtpServer() as smtp:
        addresses = ",".join(f"ops{number}@social.example" for number in range(5))
        machine.configure(SMTP_SERVER="127.0.0.1", SMTP_PORT=smtp.port, UPDATE_CHECK_RECIPIENTS=addresses)
        with machine.start() as one, machine.start() as other:
            for daemon in (one, other):
                daemon.wait_for("check.finished")
            wait_until(lambda: {outcome for _, _, outcome in machine.attempts} == {"sent"}, "all is sent")
            wait_until(lambda: len(machine.attempts) >= 6, "all is tried")
            assert 0 == one.end()
            assert 0 == other.end()
    assert sorted(addresses.split(",")) == sorted(mail.recipient for mail in smtp.mails)
    assert 6 == len(machine.attempts)
    assert ["4.5.19"] * 2 == update_server.asked


def test_log_that_nobody_reads(machine: Machine, update_server: UpdateServer) -> None:
    """The reader of the log goes away: checks and mails go on, only the log as a sink waits."""
    with SmtpServer() as smtp:
        machine.configure(SMTP_SERVER="127.0.0.1", SMTP_PORT=smtp.port)
        reading, writing = os.pipe()
        process = subprocess.Popen((*PROGRAM, "run"), env=machine.environment, stdout=writing, stderr=writing)
        try:
            os.close(writing)
            os.close(reading)
            wait_until(lambda: smtp.mails, "a mail")
            wait_until(lambda: ("log", 1, "deferred") in machine.attempts, "the log's own failure")
            assert ["4.5.19"] == update_server.asked
            process.terminate()
            assert 0 == process.wait(10)
        finally:
            process.kill()
            process.wait()


def test_closed_streams(machine: Machine, update_server: UpdateServer) -> None:
    """A process that was started without standard output and standard error works all the same."""
    with SmtpServer() as smtp:
        machine.configure(SMTP_SERVER="127.0.0.1", SMTP_PORT=smtp.port)
        with machine.start("sh", "-c", 'exec "$@" >&- 2>&-', "sh") as daemon:
            wait_until(lambda: smtp.mails, "a mail")
            assert 0 == daemon.end()
    assert update_server.asked


def test_locked_ledger(machine: Machine) -> None:
    """What keeps the ledger from being written is said in log and status, and forgotten when it is over."""
    Ledger.create(machine.ledger).close()
    machine.configure(UPDATE_CHECK_MASTODON_VERSION=None)
    with closing(sqlite3.connect(machine.ledger, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        with machine.start() as daemon:
            daemon.wait_told("READY=1")
            daemon.wait_for("ledger.failed", sink="log")
            wait_until(lambda: any("sink" not in line for line in daemon.find("ledger.failed")), "the sign of life")
            daemon.wait_status("is locked by another process")
            connection.execute("ROLLBACK")
            daemon.reload()
            wait_until(lambda: "locked" not in daemon.systemd.statuses[-1], "recovery")
            assert 0 == daemon.end()


def test_slow_start(machine: Machine, tmp_path: Path) -> None:
    """A signal that comes before the daemon is ready waits for it, and READY=1 waits for every sink."""
    begun, go = tmp_path / "begun", tmp_path / "go"
    machine.install_sink("slow", SLOW_SINK)
    machine.configure(UPDATE_CHECK_SINKS="slow", UPDATE_CHECK_SLOW_BEGUN=begun, UPDATE_CHECK_SLOW_GO=go)
    with machine.start() as daemon:
        wait_until(begun.exists, "the start")
        daemon.reload()
        assert [] == daemon.systemd.lines
        go.touch()
        daemon.wait_told("READY=1", count=2)
        assert "RELOADING=1" in daemon.systemd.lines
        assert 0 == daemon.end()
