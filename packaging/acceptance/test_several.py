"""Two Mastodons on one host, each with a service of its own: docs/INSTALL.md, "Several servers on one host"."""

from acceptance.documents import blocks
from acceptance.machine import Machine
from acceptance.program import QUICK, STATE, UNIT, USER, Program
from acceptance.site import Site

FIRST, SECOND = "/home/mastodon/live", "/var/www/mastodon__2/live"
SECOND_UNIT = "mastodon-update-check@second.service"
SECOND_CONFIG = "/etc/mastodon-update-check/second.env"
AS_SECOND = f"UPDATE_CHECK_CONFIG={SECOND_CONFIG} mastodon-update-check"
HIGHEST_EXPOSURE = "1.1"


def test_install(program: Program, machine: Machine, site: Site) -> None:
    """The package installs beside both; `setup` does not guess which one is meant, and names both."""
    machine.shell(f"TREE={SECOND} bash /opt/site/second.sh")
    program.install(program.package)
    program.add_settings(QUICK)
    site.update_server.publish("4.5.20", urgent=True)
    site.update_server.publish("4.7.6", urgent=True)
    refused = program.command("setup --yes --tell now")
    assert refused.code == 1
    assert f"setup --root {FIRST}\n" in refused.out
    assert f"setup --root {SECOND} --name second\n" in refused.out


def test_setup(program: Program, machine: Machine, site: Site) -> None:
    """The first is named by its tree, the second by a name too, word for word; each notifies its own users."""
    machine.shell(f"mastodon-update-check setup --root {FIRST} --yes --tell now --no-test 2>&1")
    machine.shell(f"echo '{QUICK}UPDATE_CHECK_INSTANCE_URL=http://127.0.0.1:3001' > {SECOND_CONFIG}")
    (block,) = blocks("Several servers on one host", "docs/INSTALL.md")
    ended = machine.answer(block, "n", "y", "y", "n")
    assert ended.code == 0, ended.out
    assert f"{AS_SECOND} status" in ended.out
    program.wait_running()
    program.wait_running(unit=SECOND_UNIT)
    site.mailbox.wait_for(site.devops, "[social.example]")
    site.mailbox.wait_for(site.devops, "[second.example]")
    assert site.devops == site.mailbox.recipients("4.5.20"), "the second is past that"


def test_apart(program: Program, machine: Machine) -> None:
    """Each has its own process, ledger, settings and view of the files; root's commands go by the settings."""
    assert program.pid != program.pid_of(SECOND_UNIT)
    machine.shell(f"test -f {STATE}/ledger.sqlite3 && test -f {STATE}/second/ledger.sqlite3")
    assert machine.shell(f"find {STATE} ! -user {USER}") == ""
    assert program.status()["installed_version"] == "4.5.19"
    assert program.status(AS_SECOND)["installed_version"] == "4.6.9"
    assert (program.command("doctor").code, machine.run(f"{AS_SECOND} doctor").code) == (0, 0)
    for unit, seen, hidden in ((UNIT, FIRST, SECOND), (SECOND_UNIT, SECOND, FIRST)):
        enter = f"nsenter --target {program.pid_of(unit)} --mount --"
        machine.shell(f"{enter} test -f {seen}/lib/mastodon/version.rb && ! {enter} test -e {hidden}")


def test_exposure(machine: Machine) -> None:
    """The unit with a name is as locked down as the one without."""
    said = machine.run(f"systemd-analyze security --no-pager {SECOND_UNIT}").out.splitlines()[-1]
    assert f"{SECOND_UNIT}: {HIGHEST_EXPOSURE} " in said


def test_reload(program: Program, machine: Machine) -> None:
    """A reload of the second reads its own settings again, and does not touch the first."""
    processes = program.pid, program.pid_of(SECOND_UNIT)
    before = machine.cursor()
    machine.shell(f"rm /run/mastodon-update-check/second.env; systemctl reload {SECOND_UNIT}")
    program.wait_event("daemon.reloaded", before, unit=SECOND_UNIT)
    assert "LOCAL_DOMAIN=second.example" in machine.shell("cat /run/mastodon-update-check/second.env")
    assert program.events("daemon.reloaded", before) == []
    assert processes == (program.pid, program.pid_of(SECOND_UNIT))


def test_one_dies(program: Program, machine: Machine) -> None:
    """Killed, the second is started again; the first is not affected."""
    first, second = program.pid, program.pid_of(SECOND_UNIT)
    machine.shell(f"systemctl kill --signal=KILL {SECOND_UNIT}")
    program.wait_running(unit=SECOND_UNIT, other_than=second)
    assert program.pid == first


def test_upgrade_and_reboot(program: Program, machine: Machine, site: Site) -> None:
    """An upgrade restarts both, and both run after a reboot; no notice is sent again."""
    processes = program.pid, program.pid_of(SECOND_UNIT)
    program.install(program.next_package)
    program.wait_running(other_than=processes[0])
    program.wait_running(unit=SECOND_UNIT, other_than=processes[1])
    machine.reboot()
    program.wait_running()
    program.wait_running(unit=SECOND_UNIT)
    site.update_server.wait_for_question("4.5.19")
    site.update_server.wait_for_question("4.6.9")
    assert site.devops == site.mailbox.recipients("[social.example]")
    assert site.devops == site.mailbox.recipients("[second.example]")


def test_undo(program: Program, machine: Machine) -> None:
    """What was set up for the second is taken back; the first goes on with its role."""
    process = program.pid
    machine.shell("mastodon-update-check setup --name second --undo --yes 2>&1")
    assert machine.run(f"systemctl is-active {SECOND_UNIT}").out.strip() == "inactive"
    assert machine.run(f"systemctl is-enabled {SECOND_UNIT}").out.strip() == "disabled"
    before = machine.cursor()
    assert program.wait_event("check.finished", before)["level"] == "info"
    assert program.command("doctor").code == 0
    assert program.pid == process


def test_purge(machine: Machine) -> None:
    """Purged while both are set up, it says what is left in PostgreSQL, and nothing else is left."""
    machine.shell("mastodon-update-check setup --name second --yes --tell mark --no-test 2>&1")
    said = machine.shell("apt-get purge --yes mastodon-update-check 2>&1")
    assert "If `setup` has created a role in PostgreSQL, it still exists" in said
    (hint,) = [line for line in said.splitlines() if line.startswith("  runuser")]
    machine.run(f"cd / && {hint}")  # the role stays for as long as the other database uses it
    ask = "SELECT count(*) FROM pg_roles WHERE rolname = '_mastodon_update_check'"
    assert machine.shell(f'cd / && runuser -u postgres -- psql -Atc "{ask}"').strip() == "1", "the second has it, too"
    machine.shell(f"cd / && {hint.replace('mastodon_production', 'mastodon_second')}")
    assert machine.shell(f'cd / && runuser -u postgres -- psql -Atc "{ask}"').strip() == "0"
    left = machine.shell("find /etc /usr /var/lib /run -xdev -name '*mastodon-update-check*' ! -name 'stamp-*' || true")
    assert left == ""
    assert machine.run("systemctl is-system-running").out.strip() == "running"
