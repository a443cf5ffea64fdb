"""The life of a server: installed, set up, upgraded, moved, rebooted, removed."""

import re
import time

from acceptance.documents import PROJECT
from acceptance.machine import Machine
from acceptance.mailbox import INSTALLED
from acceptance.program import CONFIG, QUICK, STATE, UNIT, USER, Program
from acceptance.site import PASSWORD, Site

URGENT = "4.5.20"
ROLES = "SELECT count(*) FROM pg_roles WHERE rolname = '_mastodon_update_check'"
SCHEMAS = "SELECT count(*) FROM pg_namespace WHERE nspname = 'mastodon_update_check'"


def test_install(program: Program, machine: Machine) -> None:
    """The package installs, says what to do next, and starts nothing."""
    said = program.install(program.package)
    assert "mastodon-update-check setup" in said
    assert program.state == "inactive/dead"
    assert machine.run(f"systemctl is-enabled {UNIT}").out.strip() == "disabled"


def test_units_are_without_fault(machine: Machine) -> None:
    """`systemd-analyze verify` prints nothing about the units."""
    units = machine.shell("ls /usr/lib/systemd/system/mastodon-update-check* | sed 's/@\\./@x./'").split()
    assert len(units) == 8, units
    assert machine.shell(f"systemd-analyze verify {' '.join(units)} 2>&1") == ""


def test_unconfigured_commands(program: Program) -> None:
    """Before `setup` the first and only line of `status` and `doctor` says that it has not been run."""
    said = "setup has not been run: run `mastodon-update-check setup` as root\n"
    status, doctor = program.command("status"), program.command("doctor")
    assert (status.code, status.out) == (3, f"MASTODON-UPDATE-CHECK UNKNOWN - {said}")
    assert (doctor.code, doctor.out) == (1, f"mastodon-update-check: {said}")


def test_unconfigured_start(machine: Machine) -> None:
    """Started before `setup`, it logs the remedy, and systemd does not restart it."""
    machine.run(f"systemctl start {UNIT}")
    time.sleep(1)
    shown = machine.show(UNIT, "ActiveState", "NRestarts", "Result", "ConditionResult")
    said = machine.run(f"systemctl status {UNIT}; journalctl --unit {UNIT}").out
    assert shown["NRestarts"] == "0", shown
    assert "mastodon-update-check setup" in said, said
    machine.run(f"systemctl stop {UNIT}; systemctl reset-failed {UNIT}")


def test_unconfigured_boot(program: Program, machine: Machine) -> None:
    """A machine on which it is installed but not set up boots without a failed unit."""
    machine.reboot()
    assert machine.shell("systemctl --failed --no-legend --plain").strip() == ""
    assert program.state == "inactive/dead"


def test_setup_shows_first(machine: Machine) -> None:
    """`setup --dry-run` says what it would do, and does nothing."""
    files = (
        "find /etc /run/mastodon-update-check /var/lib/mastodon-update-check -printf '%p %T@\\n' 2>/dev/null || true"
    )
    before = machine.shell(files)
    assert "/home/mastodon/live" in machine.shell("mastodon-update-check setup --dry-run")
    assert machine.shell(files) == before
    assert _ask_database(machine, ROLES) == "0"


def test_setup(program: Program, machine: Machine, site: Site) -> None:
    """One command sets it up: it runs, has said READY, and will run after a boot."""
    program.add_settings(QUICK)
    site.update_server.publish(URGENT, urgent=True)
    machine.shell("mastodon-update-check setup --yes --tell now --no-test 2>&1")
    program.wait_running()
    assert machine.run(f"systemctl is-enabled {UNIT}").out.strip() == "enabled"
    shown = machine.show(UNIT, "Type", "NotifyAccess", "StatusText", "User")
    assert (shown["Type"], shown["User"]) == ("notify", USER)


def test_mail(site: Site) -> None:
    """Each DevOps user gets one mail, through Postfix, over TLS, with Mastodon's own login."""
    site.mailbox.wait_for(site.devops, URGENT)
    mail = site.mailbox.mails[0]
    assert mail["Auto-Submitted"] == "auto-generated"
    assert "ESMTPSA" in str(mail["Received"])


def test_once(site: Site) -> None:
    """Further checks send no notice again."""
    for _ in range(3):
        site.update_server.wait_for_question("4.5.19")
    assert site.mailbox.recipients(URGENT) == site.devops


def test_priorities(program: Program, machine: Machine, site: Site) -> None:
    """The journal has each line at a fitting priority: notice, success, failure."""
    notice = program.wait_event("notice.update.available")
    assert (notice["PRIORITY"], notice["versions"]) == ("2", [URGENT])
    assert program.wait_event("daemon.started")["PRIORITY"] == "6"
    assert program.wait_event("check.finished")["PRIORITY"] == "6"
    before = machine.cursor()
    machine.shell("systemctl stop update-server")
    assert program.wait_event("check.failed", before)["PRIORITY"] == "3"
    machine.shell("systemctl start update-server")
    site.update_server.wait_for_question()


def test_root_sees_what_the_unit_sees(program: Program, machine: Machine, site: Site) -> None:
    """Commands in a root shell use the unit's ledger and settings, and leave no files of root's."""
    assert program.status()["installed_version"] == "4.5.19"
    dry = program.command("check --dry-run")
    assert dry.code == 0, dry.out
    recipients = program.command("recipients").out
    assert all(address in recipients for address in site.devops), recipients
    assert machine.shell(f"find {STATE} ! -user {USER}") == ""


def test_monitoring_system(machine: Machine) -> None:
    """The lines of docs/STATUS.md let user nagios run the plugin, and no other command as root."""
    text = (PROJECT / "docs/STATUS.md").read_text()
    (rule,) = re.findall(r"^nagios ALL=.*$", text, re.MULTILINE)
    (plugin,) = re.findall(r"^command\[.*\]=(.*)$", text, re.MULTILINE)
    machine.shell("useradd --system nagios")
    machine.write("/etc/sudoers.d/mastodon-update-check", f"{rule}\n", 0o440)
    asked = machine.run(f"runuser -u nagios -- {plugin} 2>/dev/null")
    assert (asked.code, asked.out.startswith("MASTODON-UPDATE-CHECK CRITICAL")) == (2, True), asked.out
    assert machine.run("runuser -u nagios -- sudo -n mastodon-update-check retry").code != 0
    machine.shell("rm /etc/sudoers.d/mastodon-update-check")


def test_doctor(program: Program) -> None:
    """`doctor` finds no problem."""
    finished = program.command("doctor")
    assert finished.code == 0, finished.out


def test_route(program: Program, site: Site) -> None:
    """The steps of `route`, word for word, upgrade under the running unit; each recipient gets "is installed"."""
    process = program.pid
    followed = program.follow_route(URGENT)
    assert followed.code == 0, followed.out
    site.update_server.wait_for_question(URGENT)
    assert program.pid == process
    site.mailbox.wait_for(site.devops, URGENT, INSTALLED)


def test_moved_tree(program: Program, machine: Machine, site: Site) -> None:
    """The tree moved elsewhere, with a link in its place, is followed from the next restart on."""
    machine.shell(
        "systemctl stop mastodon-web && mv /home/mastodon/live /srv/mastodon && ln -s /srv/mastodon /home/mastodon/live"
        " && systemctl start mastodon-web"
    )
    site.update_server.wait_for_question(URGENT)  # what it had opened before is the same directory still
    process = program.pid
    machine.shell(f"systemctl restart {UNIT}")
    program.wait_running(other_than=process)
    site.checkout("4.6.9")
    machine.shell("systemctl restart mastodon-web")
    site.update_server.wait_for_question("4.6.9")
    assert program.command("doctor").code == 0, program.command("doctor").out


def test_replaced_tree(program: Program, machine: Machine, site: Site) -> None:
    """Another tree put in the place of the old one is noticed without a restart by hand."""
    machine.shell("cd /srv && mv mastodon former && cp --archive former mastodon")
    site.checkout("4.7.6")
    machine.shell("systemctl restart mastodon-web")
    site.update_server.wait_for_question("4.7.6", 120)  # it restarts half a minute after it has noticed
    site.checkout("4.6.9")
    machine.shell("systemctl restart mastodon-web")
    site.update_server.wait_for_question("4.6.9")
    program.wait_running()


def test_new_password(program: Program, machine: Machine, site: Site) -> None:
    """A new password for the mail server is used without a reload by hand, and delayed mails are delivered."""
    process, before = program.pid, machine.cursor()
    site.set_mail_password("another one entirely")
    site.update_server.publish("4.7.6", urgent=True)
    refused = program.wait_event("delivery.deferred", before)
    assert refused["PRIORITY"] in "34", refused
    assert site.mailbox.recipients("4.7.6") == []
    site.change_env(PASSWORD, "another one entirely")
    assert "settings have changed since the service read them" in program.command("doctor 2>&1").out
    program.wait_event("daemon.reloaded", before)
    site.mailbox.wait_for(site.devops, "4.7.6")
    assert program.pid == process
    assert "another one entirely" not in machine.shell(f"journalctl --unit {UNIT} --no-pager")


def test_nothing_twice(site: Site) -> None:
    """After all that no notice has been sent twice."""
    assert site.mailbox.recipients(URGENT) == site.devops
    assert site.mailbox.recipients("4.7.6") == site.devops


def test_reboot(program: Program, machine: Machine, site: Site) -> None:
    """After a reboot it runs, and sends no notice again."""
    machine.reboot()
    program.wait_running()
    site.update_server.wait_for_question()
    assert machine.shell("systemctl --failed --no-legend --plain").strip() == ""
    assert site.mailbox.recipients("4.7.6") == site.devops


def test_upgrade(program: Program, machine: Machine, site: Site) -> None:
    """An upgrade of the package keeps ledger and settings, and running services continue with the new version."""
    process, config = program.pid, machine.shell(f"sha256sum {CONFIG}; stat -c '%a %U %G' {CONFIG}")
    said = program.install(program.next_package)
    program.wait_running(other_than=process)
    assert machine.shell(f"sha256sum {CONFIG}; stat -c '%a %U %G' {CONFIG}") == config
    assert "+next" in machine.shell("dpkg-query -W -f '${Version}' mastodon-update-check")
    assert "setup" not in said.partition("Setting up")[2], said
    site.update_server.wait_for_question()
    assert site.mailbox.recipients("4.7.6") == site.devops


def test_removal(program: Program, machine: Machine) -> None:
    """Removed, it has stopped and left its ledger; installed again, it has forgotten nothing."""
    machine.shell("apt-get remove --yes mastodon-update-check 2>&1")
    assert machine.run(f"find /proc -maxdepth 1 -user {USER}").out.strip() == ""
    machine.shell(f"test -f {STATE}/ledger.sqlite3 && test -f {CONFIG}")
    program.install(program.next_package)
    assert machine.run(f"systemctl start {UNIT}").code == 0
    program.wait_running()


def test_undo_and_purge(machine: Machine) -> None:
    """`setup --undo` and a purge leave nothing behind, in the file system, in systemd or in PostgreSQL."""
    machine.shell("mastodon-update-check setup --undo --yes 2>&1")
    machine.shell("apt-get purge --yes mastodon-update-check 2>&1")
    places = "/etc /usr /var /run /home /opt /root"
    left = machine.shell(
        f"find {places} -xdev \\( -name '*mastodon-update-check*' -o -name '*mastodon_update_check*' \\) "
        "! -path '/root/*.deb' ! -path '/var/cache/man/*' 2>/dev/null || true"
    )
    assert left.replace("/var/lib/systemd/timers/stamp-mastodon-update-check-once.timer\n", "") == ""
    assert machine.run(f"getent passwd {USER}").code == 2
    assert (_ask_database(machine, ROLES), _ask_database(machine, SCHEMAS)) == ("0", "0")
    assert machine.run("systemctl is-system-running").out.strip() == "running"
    assert machine.run("systemctl is-active mastodon-web").out.strip() == "active"
    assert machine.run(f"systemctl cat {UNIT}").code != 0


def _ask_database(machine: Machine, question: str) -> str:
    return machine.shell(f'cd / && runuser -u postgres -- psql -Atc "{question}" mastodon_production').strip()
