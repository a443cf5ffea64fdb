"""Signals: a stop waits for attempts in progress, for a limited time, and leaves nothing behind."""

import contextlib
import email
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from daemon.program import LONGEST, STOP_SECONDS, Machine, wait_until
from simulators.http_server import hang
from simulators.scripted_smtp_server import Hang, ScriptedSmtpServer
from simulators.smtp_server import SmtpServer
from simulators.update_server import UpdateServer

STUCK = """
import signal, threading
from datetime import timedelta
from mastodon_update_check.daemon.start import SIGNALS, take_signals
signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
take_signals(lambda order: None, timedelta(seconds={limit}))
print("here", flush=True)
threading.Event().wait()
"""


def mail_by(machine: Machine, port: int) -> None:
    """Let mail be the only sink."""
    machine.configure(SMTP_SERVER="127.0.0.1", SMTP_PORT=port, UPDATE_CHECK_SINKS="email")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_stop_while_idle(machine: Machine, number: signal.Signals) -> None:
    """The daemon stops with exit code 0, and logs it."""
    with machine.start() as daemon:
        daemon.wait_for("check.skipped")
        assert daemon.end(number) == 0
        assert [line["event"] for line in daemon.events][-2:] == ["daemon.stopping", "daemon.stopped"]
        assert "STOPPING=1" in daemon.systemd.lines


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_stop_during_the_start(machine: Machine, number: signal.Signals) -> None:
    """A daemon that is still preparing stops at once, with nothing begun."""
    machine.install_sink("slow", "import time\ntime.sleep(60)\n")
    machine.configure(UPDATE_CHECK_SINKS="slow")
    with machine.start() as daemon:
        children = Path(f"/proc/{daemon.process.pid}/task/{daemon.process.pid}/children")
        wait_until(children.read_text, "the child")
        assert daemon.end(number, STOP_SECONDS / 2) == 0
        assert (daemon.events, daemon.systemd.lines) == ([], [])


def test_stop_during_a_hanging_check(machine: Machine, update_server: UpdateServer) -> None:
    """A stop does not wait for a check."""
    update_server.fail(hang())
    with machine.start() as daemon:
        wait_until(lambda: update_server.asked, "the question")
        assert daemon.end() == 0
        assert daemon.find("check.finished") + daemon.find("check.failed") == []


def test_stop_waits_for_a_slow_server(machine: Machine, update_server: UpdateServer) -> None:
    """A stop waits up to 8 s for an attempt, and its outcome is recorded."""
    assert update_server.url
    with SmtpServer() as smtp:
        smtp.pause = 2
        mail_by(machine, smtp.port)
        with machine.start() as daemon:
            wait_until(lambda: machine.attempts, "the attempt")
            assert machine.attempts == [("email", 1, None)]
            assert daemon.end() == 0
            assert machine.attempts == [("email", 1, "sent")]
            assert len(daemon.find("delivery.sent")) == 1
    assert len(smtp.mails) == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_attempt_of_a_killed_daemon_is_repeated_with_its_id(
    machine: Machine, update_server: UpdateServer, number: signal.Signals
) -> None:
    """After 8 s of a stop, or at once, the attempt is unknown; the next start repeats the message with the same id."""
    assert update_server.url
    with ScriptedSmtpServer({"END": [Hang(), "250 2.0.0 queued as 2"]}) as smtp:
        mail_by(machine, smtp.port)
        with machine.start() as daemon:
            wait_until(lambda: smtp.bodies, "the mail")
            is_stop = number == signal.SIGTERM
            assert (daemon.end(number, seconds=STOP_SECONDS) == 0) == is_stop
            assert len(daemon.find("job.killed", job="deliver")) == is_stop
        assert machine.attempts == [("email", 1, None)]
        with machine.start() as daemon:
            daemon.wait_for("delivery.sent", sink="email", attempt=2)
            assert daemon.end() == 0
    assert machine.attempts == [("email", 1, "unknown"), ("email", 2, "sent")]
    first, second = (email.message_from_bytes(body)["X-Update-Check-ID"] for body in smtp.bodies)
    assert first == second


def test_stop_waits_for_an_attempt_with_former_settings(machine: Machine, update_server: UpdateServer) -> None:
    """A stop also waits for an attempt that began before a reload."""
    assert update_server.url
    with SmtpServer() as old, SmtpServer() as new:
        old.pause = 3
        mail_by(machine, old.port)
        with machine.start() as daemon:
            wait_until(lambda: machine.attempts, "the attempt")
            mail_by(machine, new.port)
            daemon.reload()
            daemon.wait_for("daemon.reloaded")
            assert machine.attempts == [("email", 1, None)]
            assert daemon.end() == 0
        assert machine.attempts == [("email", 1, "sent")]
        assert (new.mails, len(old.mails)) == ([], 1)


@pytest.mark.parametrize(("limit", "signals"), [("0.2", 1), ("3600", 2)])
def test_stop_ends_a_hanging_main_thread(limit: str, signals: int) -> None:
    """A main thread that follows no order is not waited for: the limit ends the process, or a second signal does."""
    with subprocess.Popen([sys.executable, "-c", STUCK.format(limit=limit)], stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == b"here\n"
            for _ in range(signals):
                process.terminate()
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(0.5)
            assert process.wait(LONGEST) == 0
        finally:
            process.kill()
