"""The daemon as systemd starts it: ready, the first check, deliveries, the watchdog, the stop; and a standby."""

from collections.abc import Callable

import pytest

from daemon.program import LONGEST, Machine, wait_until
from simulators.smtp_server import SmtpServer
from simulators.update_server import UpdateServer


def test_daemon_checks_delivers_and_stops(machine: Machine, update_server: UpdateServer) -> None:
    """It is ready with a ledger, checks at once, delivers, feeds the watchdog, and shows its state until it stops."""
    command = ("sh", "-c", 'WATCHDOG_PID=$$ exec "$@"', "sh")
    with machine.start(*command, WATCHDOG_USEC="1000000") as daemon:
        daemon.wait_notified("READY=1")
        assert machine.ledger.exists()
        daemon.wait_for("check.finished", pending=["4.5.20"])
        daemon.wait_for("delivery.sent", sink="log")
        daemon.wait_status("Mastodon 4.5.19, pending: 4.5.20; checked ")
        assert machine.run("status", "--alive") == 0
        wait_until(lambda: len(daemon.systemd.feedings()) >= 3, "three feedings of the watchdog")
        assert daemon.end() == 0
    words = [line for line in daemon.systemd.lines if not line.startswith(("STATUS=", "WATCHDOG="))]
    assert words == ["READY=1", "STOPPING=1"]
    assert machine.run("status", "--alive") == 1
    assert update_server.asked == ["4.5.19"]


@pytest.mark.parametrize(
    ("spoil", "code", "part"),
    [
        (lambda machine: machine.ledger.mkdir(), 74, "the ledger "),
        (lambda machine: machine.configure(UPDATE_CHECK_SINKS="pigeon"), 78, "is not an installed sink"),
    ],
    ids=["ledger", "sink"],
)
def test_daemon_is_not_ready_without_ledger_and_sinks(
    machine: Machine, spoil: Callable[[Machine], None], code: int, part: str
) -> None:
    """The exit code distinguishes what systemd may try again; the status line has the reason."""
    spoil(machine)
    with machine.start() as daemon:
        assert daemon.process.wait(LONGEST) == code
        daemon.systemd.settle()
        assert part in daemon.systemd.statuses[-1]
        assert "READY=1" not in daemon.systemd.lines


def test_standby_takes_over_from_a_killed_owner(machine: Machine, update_server: UpdateServer) -> None:
    """A second daemon beside the first one waits, and continues when that is killed: no notice is lost or repeated."""
    with SmtpServer() as smtp:
        machine.configure(SMTP_SERVER="127.0.0.1", SMTP_PORT=smtp.port, UPDATE_CHECK_SINKS="email")
        with machine.start() as owner, machine.start() as standby:
            wait_until(lambda: smtp.mails, "the first mail")
            wait_until(lambda: [outcome for _, _, outcome in machine.attempts] == ["sent"], "its record")
            daemons = {daemon: len(daemon.find("check.finished")) for daemon in (owner, standby)}
            first, second = sorted(daemons, key=daemons.__getitem__, reverse=True)
            second.wait_status("standby: another process owns the ledger")
            second.wait_for("owner.waiting", detail="another process owns the ledger")
            assert not [*second.find("owner.taken"), *first.find("owner.taken")]
            update_server.publish("4.5.21")
            first.process.kill()
            second.wait_for("owner.taken", detail="this daemon owns the ledger now")
            second.wait_for("check.finished", pending=["4.5.20", "4.5.21"])
            wait_until(lambda: len(smtp.mails) == 2, "the second mail")
            assert second.end() == 0
    assert [outcome for _, _, outcome in machine.attempts] == ["sent", "sent"]
