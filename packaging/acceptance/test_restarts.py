"""Restarts: systemd restarts a service that ended or hangs, but not with wrong settings, and no notice is repeated."""

from acceptance.machine import Machine, wait_until
from acceptance.program import QUICK, STATE, UNIT, Program
from acceptance.site import Site

URGENT = "4.5.20"
OFTEN = 8
"""More starts than systemd's default limit allows within a short time."""


def test_setup(program: Program, machine: Machine, site: Site) -> None:
    """The unit is set up, and each DevOps user is notified."""
    program.install(program.package)
    program.add_settings(QUICK)
    site.update_server.publish(URGENT, urgent=True)
    machine.shell("mastodon-update-check setup --yes --tell now --no-test 2>&1")
    program.wait_running()
    site.mailbox.wait_for(site.devops, URGENT)


def test_restart_of_everything(program: Program, machine: Machine, site: Site) -> None:
    """`systemctl restart 'mastodon-*'`, which is meant for Mastodon, does no harm here."""
    process = program.pid
    machine.shell("systemctl restart 'mastodon-*'")
    program.wait_running(other_than=process)
    site.update_server.wait_for_question()
    assert site.mailbox.recipients(URGENT) == site.devops


def test_killed(program: Program, machine: Machine, site: Site) -> None:
    """Killed, it is started again."""
    process = program.pid
    machine.shell(f"systemctl kill --signal=KILL {UNIT}")
    program.wait_running(other_than=process)
    site.update_server.wait_for_question()


def test_frozen(program: Program, machine: Machine, site: Site) -> None:
    """Frozen, it is killed by the watchdog and started again."""
    process, before = program.pid, machine.cursor()
    machine.shell(f"kill -STOP {process}")
    wait_until(lambda: program.pid not in (0, process), "another process", 150)
    program.wait_running(other_than=process)
    said = [line["MESSAGE"] for line in machine.journal("init.scope", before) + machine.journal(UNIT, before)]
    assert any("atchdog" in str(line) for line in said), said
    site.update_server.wait_for_question()


def test_wrong_reload(program: Program, machine: Machine) -> None:
    """A reload with wrong settings fails and logs which variable it is; the service keeps running."""
    process, before = program.pid, machine.cursor()
    with program.wrong_settings("UPDATE_CHECK_RECIPIENT=devops"):
        assert machine.run(f"systemctl reload {UNIT}").code != 0
        said = " ".join(str(line["MESSAGE"]) for line in machine.journal(UNIT, before))
        assert "UPDATE_CHECK_RECIPIENT" in said, said
    assert program.pid == process
    assert program.state == "active/running"
    machine.shell(f"systemctl reload {UNIT}")
    program.wait_event("daemon.reloaded", before)


def test_wrong_start(program: Program, machine: Machine) -> None:
    """A start with wrong settings ends with 78, once, and says which variable it is."""
    machine.shell(f"systemctl stop {UNIT}")
    before = machine.cursor()
    with program.wrong_settings("UPDATE_CHECK_RECIPIENT=devops"):
        assert machine.run(f"systemctl start {UNIT}").code != 0
        shown = machine.show(UNIT, "NRestarts", "ActiveState")  # waiting for another start, it would be "activating"
        assert shown == {"NRestarts": "0", "ActiveState": "failed"}
        said = [str(line["MESSAGE"]) for line in machine.journal(UNIT, before)]
        assert len([line for line in said if "status=78" in line]) == 1, said
        assert any("did you mean UPDATE_CHECK_RECIPIENTS" in line for line in said), said
    machine.shell(f"systemctl start {UNIT}")
    program.wait_running()


def test_restarted_often(program: Program, machine: Machine) -> None:
    """An administrator who tries settings may restart it any number of times."""
    machine.shell(f"for i in $(seq {OFTEN}); do systemctl restart {UNIT}; done")
    program.wait_running()


def test_ledger_unusable_for_a_time(program: Program, machine: Machine) -> None:
    """While its ledger cannot be used, systemd restarts it; as soon as the ledger can be used, it runs."""
    drop_in, ledger = f"/etc/systemd/system/{UNIT}.d/quick.conf", f"{STATE}/ledger.sqlite3"
    machine.write(drop_in, "[Service]\nRestartSec=1\n")  # half a minute by default
    before = machine.cursor()
    machine.shell(f"systemctl daemon-reload; systemctl stop {UNIT}; mv {ledger} {STATE}/aside; mkdir {ledger}")
    assert machine.run(f"systemctl start {UNIT}").code != 0
    wait_until(lambda: int(machine.show(UNIT, "NRestarts")["NRestarts"]) >= OFTEN, "another start", 120)
    assert any(ledger in str(line["MESSAGE"]) for line in machine.journal(UNIT, before))
    machine.shell(f"rmdir {ledger} && mv {STATE}/aside {ledger}")
    program.wait_running()
    machine.shell(f"rm {drop_in} && systemctl daemon-reload")


def test_nothing_twice(site: Site) -> None:
    """After all that no notice has been sent twice."""
    site.update_server.wait_for_question()
    assert site.mailbox.recipients(URGENT) == site.devops
