"""Reloads: from SIGHUP on the new settings are used, unless they are wrong; planned checks and attempts stay."""

import signal
from pathlib import Path

import pytest

from daemon.program import Machine, wait_until
from simulators.http_server import HttpServer, Reply
from simulators.smtp_server import SmtpServer
from simulators.update_server import UpdateServer


def test_reload(machine: Machine, update_server: UpdateServer) -> None:
    """SIGHUP reads the files again: from then on the new mail server and the new webhook are used."""
    with SmtpServer() as old, SmtpServer() as new, HttpServer(lambda _: Reply(204)) as webhook:
        machine.configure(SMTP_SERVER="127.0.0.1", SMTP_PORT=old.port)
        with machine.start() as daemon:
            daemon.wait_for("delivery.sent", sink="email")
            update_server.publish("4.5.21")
            machine.configure(SMTP_PORT=new.port, UPDATE_CHECK_WEBHOOK_URL=webhook.url("/hook"))
            daemon.reload()
            daemon.wait_notified("READY=1", count=2)
            daemon.wait_for("delivery.sent", count=2, sink="email")
            daemon.wait_for("delivery.sent", sink="webhook")
            assert daemon.find("daemon.reloaded")[0]["sinks"] == ["log", "email", "webhook"]
            lines = daemon.systemd.lines
            assert daemon.end() == 0
    assert (len(old.mails), len(new.mails), len(webhook.requests)) == (1, 1, 1)
    assert "READY=1" in lines[lines.index("RELOADING=1") :]


def test_reload_without_a_change_of_our_own(machine: Machine, update_server: UpdateServer) -> None:
    """It keeps the planned checks: Mastodon's user can cause reloads, too."""
    mastodons = machine.home / ".env.production"
    machine.configure(UPDATE_CHECK_INTERVAL="1h", UPDATE_CHECK_JITTER="0")
    with machine.start() as daemon:
        daemon.wait_for("check.finished")
        for number in range(3):
            mastodons.write_text(f"SMTP_SERVER=127.0.0.1\nSMTP_PORT=1{number}\n")
            daemon.reload()
            daemon.wait_for("daemon.reloaded", count=number + 1)
        machine.configure(UPDATE_CHECK_REMINDERS="all")
        daemon.reload()
        daemon.wait_for("check.finished", count=2)
        assert daemon.end() == 0
    assert len(update_server.asked) == 2


@pytest.mark.parametrize(
    "wrong",
    [
        {"UPDATE_CHECK_INTERVAL": "soon", "UPDATE_CHECK_LOG_LEVEL": "error"},
        {"UPDATE_CHECK_LEDGER": "/proc/ledger", "UPDATE_CHECK_LOG_LEVEL": "error"},
    ],
)
def test_reload_of_wrong_settings(machine: Machine, update_server: UpdateServer, wrong: dict[str, str]) -> None:
    """When the new settings are wrong, all of the old ones stay, which log and status say until they are right."""
    del machine.environment["UPDATE_CHECK_LEDGER"]
    machine.configure(UPDATE_CHECK_LEDGER=machine.ledger, UPDATE_CHECK_INTERVAL="1s", UPDATE_CHECK_JITTER="0")
    right = {"UPDATE_CHECK_LEDGER": machine.ledger, "UPDATE_CHECK_INTERVAL": "1s", "UPDATE_CHECK_LOG_LEVEL": "info"}
    with machine.start() as daemon:
        daemon.wait_for("delivery.sent")
        machine.configure(**wrong)
        daemon.reload()
        daemon.wait_notified("READY=1", count=2)
        daemon.wait_for("daemon.reload_failed")
        daemon.wait_status("the new settings are wrong, the former ones stay in use: ")
        update_server.publish("4.5.21")
        daemon.wait_for("delivery.sent", count=2)
        wait_until(lambda: daemon.systemd.statuses[-1].startswith("the new settings are wrong"), "the problem first")
        assert any("the former ones stay in use" in line["detail"] for line in daemon.find("check.degraded"))
        machine.configure(**right)
        daemon.reload()
        daemon.wait_for("daemon.reloaded")
        wait_until(lambda: "wrong" not in daemon.systemd.statuses[-1], "the settings are right again")
        assert daemon.systemd.lines.count("READY=1") == 3
        assert daemon.end() == 0


def test_reload_before_anything_else(machine: Machine) -> None:
    """A SIGHUP that comes while Python is still importing the program kills nothing, and is followed."""
    with machine.start() as daemon:
        status = Path(f"/proc/{daemon.process.pid}/status")
        wait_until(lambda: is_blocked(status, signal.SIGHUP), "the mask")
        daemon.reload()
        daemon.wait_notified("READY=1", count=2)
        assert daemon.systemd.lines.count("RELOADING=1") == 1
        assert daemon.end() == 0


def is_blocked(status: Path, number: signal.Signals) -> bool:
    """Whether a process blocks a signal."""
    (mask,) = (line.split()[1] for line in status.read_text().splitlines() if line.startswith("SigBlk:"))
    return bool(int(mask, 16) & 1 << number - 1)


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS:UserWarning")
def test_messages_are_sent_after_a_password_is_corrected(machine: Machine, update_server: UpdateServer) -> None:
    """The one in Mastodon's file was refused; once it is corrected, the message does not wait for its backoff."""
    update_server.publish("4.5.20")
    with SmtpServer(users={"m": "new"}) as mail:
        login = f"SMTP_SERVER=127.0.0.1\nSMTP_PORT={mail.port}\nSMTP_LOGIN=m\nSMTP_PASSWORD="
        (machine.home / ".env.production").write_text(f"{login}old\n")
        machine.configure(UPDATE_CHECK_SINKS="email")
        with machine.start() as daemon:
            daemon.wait_for("delivery.deferred", count=2)  # the next attempt is five minutes away
            (machine.home / ".env.production").write_text(f"{login}new\n")
            daemon.reload()
            daemon.wait_for("delivery.sent", sink="email")
    assert len(mail.mails) == 1
