"""The life of a server: installed, set up, upgraded beside, hurt, restarted, upgraded, removed."""

import time

from acceptance.machine import Machine, wait_until
from acceptance.program import CONFIG, QUICK, STATE, UNIT, USER, Program
from acceptance.site import PASSWORD, Site

URGENT = "4.5.20"


def test_install(program: Program, machine: Machine) -> None:
    """The package installs, says what to do next, and starts nothing."""
    said = program.install(program.package)
    assert "mastodon-update-check setup" in said
    assert "inactive/dead" == program.state
    assert "disabled" == machine.run(f"systemctl is-enabled {UNIT}").out.strip()


def test_units_are_without_fault(machine: Machine) -> None:
    """`systemd-analyze verify` has nothing to say about the units."""
    units = machine.shell("ls /usr/lib/systemd/system/mastodon-update-check* | sed 's/@.service/@x.service/'").split()
    assert len(units) == 4, units
    assert "" == machine.shell(f"systemd-analyze verify {' '.join(units)} 2>&1")


def test_unconfigured_start(program: Program, machine: Machine) -> None:
    """Started before it is set up it says what to do, and is not tried again and again."""
    machine.run(f"systemctl start {UNIT}")
    time.sleep(1)
    shown = machine.show(UNIT, "ActiveState", "NRestarts", "Result", "ConditionResult")
    told = machine.run(f"systemctl status {UNIT}; journalctl --unit {UNIT}").out
    assert "0" == shown["NRestarts"], shown
    assert "mastodon-update-check setup" in told, told
    machine.run(f"systemctl stop {UNIT}; systemctl reset-failed {UNIT}")


def test_unconfigured_boot(program: Program, machine: Machine) -> None:
    """A machine on which it is installed but not set up boots without a failed unit."""
    machine.reboot()
    assert "" == machine.shell("systemctl --failed --no-legend --plain").strip()
    assert "inactive/dead" == program.state


def test_setup_shows_first(program: Program, machine: Machine) -> None:
    """`setup --dry-run` says what it would do, and does nothing."""
    before = machine.shell("find /etc /var/lib/mastodon-update-check /run/mastodon-update-check -newer /root 2>/dev/null || true")
    said = machine.shell("mastodon-update-check setup --dry-run")
    assert "/home/mastodon/live" in said
    assert before == machine.shell(
        "find /etc /var/lib/mastodon-update-check /run/mastodon-update-check -newer /root 2>/dev/null || true"
    )
    assert "" == machine.shell(f"cd / && runuser -u postgres -- psql -Atc \"SELECT 1 FROM pg_roles WHERE rolname = '{USER}'\"")


def test_setup(program: Program, machine: Machine, site: Site) -> None:
    """One command sets it up: it runs, has said READY, and will run after a boot."""
    program.add_settings(QUICK)
    site.update_server.publish(URGENT, urgent=True)
    machine.shell("mastodon-update-check setup --yes --tell now --no-test 2>&1")
    program.wait_running()
    assert "enabled" == machine.run(f"systemctl is-enabled {UNIT}").out.strip()
    shown = machine.show(UNIT, "Type", "NotifyAccess", "StatusText", "User")
    assert ("notify", USER) == (shown["Type"], shown["User"])


def test_mail(site: Site) -> None:
    """Each DevOps user gets one mail, through Postfix, over TLS, with Mastodon's own login."""
    site.mailbox.wait_for(site.devops, URGENT)
    mail = site.mailbox.mails[0]
    assert "auto-generated" == mail["Auto-Submitted"]
    assert "ESMTPSA" in str(mail["Received"])


def test_once(site: Site) -> None:
    """Further checks tell nobody again."""
    for _ in range(3):
        site.update_server.wait_for_question("4.5.19")
    assert site.devops == site.mailbox.recipients(URGENT)


def test_priorities(program: Program) -> None:
    """The journal has each line at the priority that fits."""
    notice = program.wait_event("notice.update.available")
    assert ("2", [URGENT]) == (notice["PRIORITY"], notice["versions"])
    assert "6" == program.wait_event("daemon.started")["PRIORITY"]
    assert not [event for event in program.events() if event["PRIORITY"] in "345" and event["event"].startswith("check.")]


def test_root_sees_what_the_unit_sees(program: Program, machine: Machine) -> None:
    """Commands in a root shell use the unit's ledger and settings, and leave no files of root's."""
    status = program.status()
    assert "4.5.19" == status["installed_version"], status
    assert 0 == program.command("check --dry-run").code
    recipients = program.command("recipients").out
    assert all(address in recipients for address in site_addresses(recipients)), recipients
    assert "" == machine.shell(f"find {STATE} ! -user {USER}")


def site_addresses(text: str) -> list[str]:
    """Return the addresses in a text."""
    return [word for word in text.split() if "@" in word]


def test_checkout(program: Program, machine: Machine, site: Site) -> None:
    """`git checkout` of another tag under the running unit, and Mastodon's restart, are seen without a restart of ours."""
    process = program.pid
    site.checkout(URGENT)
    machine.shell("systemctl restart mastodon-web mastodon-sidekiq mastodon-streaming")
    site.update_server.wait_for_question(URGENT)
    assert process == program.pid
