"""What an attacker can do who controls the process, the database's role, or Mastodon's user: tried, not presumed."""

import json
import time
from typing import Any

from acceptance.machine import Machine
from acceptance.program import QUICK, STATE, UNIT, USER, Program
from acceptance.site import Site

ALLOWED = {
    "read Mastodon's version",
    "list the migrations",
    "read the copy of the needed settings",
    "read our own settings",
    "run a program of the system",
    "reach the mail server",
    "log in to PostgreSQL as itself",
}
"""What it needs for its work, and running what everybody may run; everything else must be refused."""
REFUSED_BY_THE_SANDBOX = {
    "list the homes",
    "read a file in /opt",
    "list the database's files",
    "see other processes",
    "make a namespace",
    "trace a process",
    "change the personality",
    "have memory written and executed",
    "run a program of its own in its state",
    "run a program of its own in /tmp",
    "load a library of Mastodon's tree",
    "a netlink socket",
    "make a set-user-ID program",
}
"""What the same user may do outside of the sandbox: otherwise the attempts would prove nothing."""


def test_setup(program: Program, machine: Machine, site: Site) -> None:
    """The unit runs; Mastodon's user has put a library into its tree."""
    program.install(program.package)
    directories = f"{site.root}/db/migrate {site.root}/db/post_migrate"
    machine.shell(f"install -d -o mastodon {directories} && touch {site.root}/db/migrate/20260101000000_x.rb")
    machine.shell(f"install -o mastodon /usr/lib/*/libz.so.1 {site.root}/lib/mastodon/evil.so")
    program.add_settings(QUICK)
    machine.shell("mastodon-update-check setup --yes --tell now --no-test 2>&1")
    program.wait_running()
    site.update_server.wait_for_question()


def test_intruder(machine: Machine, site: Site) -> None:
    """In the sandbox only what the service needs works, and only its own places can be written to."""
    found = _inside(machine, site)
    assert {name for name, worked in found["outcomes"].items() if worked} == ALLOWED
    assert {STATE, "/tmp", "/var/tmp"} >= set(found["writable"]), found["writable"]  # noqa: S108 - its own, by PrivateTmp


def test_intruder_outside(machine: Machine, site: Site) -> None:
    """The same attempts without the sandbox do work where only the sandbox is in the way."""
    script = f"systemd-run --quiet --pipe --wait --uid={USER} /usr/bin/python3 /opt/site/intruder.py {site.root}"
    found = json.loads(machine.shell(script))
    worked = {name for name, worked in found["outcomes"].items() if worked}
    assert not REFUSED_BY_THE_SANDBOX - worked, REFUSED_BY_THE_SANDBOX - worked


def test_role(machine: Machine) -> None:
    """The database's role can ask who the staff are, and nothing else."""
    allowed = _as_role(machine, "SELECT count(*) FROM mastodon_update_check.staff()")
    assert int(allowed) > 0
    for statement in (
        "SELECT email FROM public.users",
        "SELECT private_key FROM public.accounts",
        "SELECT var FROM public.settings",
        "UPDATE public.users SET email = 'x'",
        "DELETE FROM public.users",
        "INSERT INTO public.user_roles (name) VALUES ('x')",
        "CREATE TABLE public.mine (x int)",
        "CREATE TABLE mastodon_update_check.mine (x int)",
        "CREATE TEMPORARY TABLE mine (x int)",
        "CREATE SCHEMA mine",
        "CREATE ROLE mine",
        "SET ROLE mastodon",
        "ALTER ROLE _mastodon_update_check SUPERUSER",
        "SELECT pg_read_file('/etc/passwd')",
        "COPY (SELECT 1) TO '/tmp/mine'",
        "COPY (SELECT 1) TO PROGRAM 'true'",
    ):
        assert "ERROR" in _as_role(machine, f"SET default_transaction_read_only = off; {statement}"), statement


# Runs in the sandbox of a command of root's, and pushes the keys of a command line into every terminal that it finds.
PUSHER = """
import fcntl, os, sys, termios
descriptors = [0, 1, 2]
try:
    descriptors.append(os.open("/dev/tty", os.O_RDWR))
except OSError:
    pass
for descriptor in descriptors:
    for key in f"touch {sys.argv[1]}\\n":
        try:
            fcntl.ioctl(descriptor, termios.TIOCSTI, key.encode())
        except OSError:
            pass
"""
AS_SERVICE = """
import os, sys
from dataclasses import replace
sys.path.append("/usr/lib/mastodon-update-check")
from mastodon_update_check.host.service import find_service, run_as_service
service = find_service(os.environ, program="/usr/bin/mastodon-update-check")
sys.exit(run_as_service(replace(service, program="/usr/bin/python3"), ("/usr/local/lib/pusher.py", sys.argv[1]), {}))
"""


def test_terminal_of_root(machine: Machine) -> None:
    """Code in a command of root's cannot type into root's shell: neither on a terminal nor with a stream redirected."""
    machine.write("/usr/local/lib/pusher.py", PUSHER)
    machine.write("/usr/local/lib/as_service.py", AS_SERVICE)
    lines = (
        "set -o monitor",
        "python3 /usr/local/lib/as_service.py /root/pushed",
        "python3 /usr/local/lib/as_service.py /root/pushed 2>/dev/null",
        "python3 /usr/local/lib/as_service.py /root/pushed | cat",
        # The same without the sandbox does work, unless the kernel forbids it to every process.
        f"setpriv --reuid={USER} --clear-groups python3 /usr/local/lib/pusher.py /root/control",
        "sleep 1",
    )
    machine.write("/opt/keys", "\n".join(lines))
    typing = '(while read -r line; do echo "$line"; sleep 3; done < /opt/keys; sleep 2; echo exit)'
    machine.run(f"{typing} | python3 /opt/site/typist.py", seconds=120)
    allowed = machine.run("sysctl --values dev.tty.legacy_tiocsti").out.strip() != "0"
    assert allowed == (machine.run("test -e /root/control").code == 0)
    assert machine.run("test -e /root/pushed").code != 0


def test_lease_on_the_settings(program: Program, machine: Machine, site: Site) -> None:
    """A lease that Mastodon's user holds on its file delays neither a reload nor setup."""
    holder = (
        "import fcntl, signal, time; signal.signal(signal.SIGIO, signal.SIG_IGN); "
        f"file = open('{site.root}/.env.production', 'r+'); "
        "fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_WRLCK); time.sleep(120)"
    )
    machine.shell(f'systemd-run --quiet --unit=lease --uid=mastodon python3 -c "{holder}"; sleep 1')
    begun = time.monotonic()
    machine.shell(f"systemctl reload {UNIT}")
    machine.shell("mastodon-update-check setup --dry-run 2>&1 || true")
    assert time.monotonic() - begun < 30
    machine.shell("systemctl stop lease")
    program.wait_running()


def test_other_database_server(machine: Machine, site: Site) -> None:
    """A second host behind a comma in DB_HOST is never asked by root."""
    file = f"{site.root}/.env.production"
    machine.shell(f"cp -p {file} /root/kept; sed -i 's#^DB_HOST=.*#DB_HOST=/x,127.0.0.1#' {file}")
    said = machine.run("mastodon-update-check setup --dry-run 2>&1").out
    assert "expected one host, got a list" in said, said
    machine.shell(f"cp -p /root/kept {site.root}/.env.production && systemctl reload {UNIT}")


def test_dangling_state(machine: Machine) -> None:
    """A dangling link that the service has put in the place of a further server's state is named, and is not a bug."""
    machine.shell("echo LOCAL_DOMAIN=second.example > /etc/mastodon-update-check/second.env")
    machine.shell(f"runuser -u {USER} -- ln -s /nowhere {STATE}/second")
    ended = machine.run("UPDATE_CHECK_CONFIG=/etc/mastodon-update-check/second.env mastodon-update-check status 2>&1")
    assert ended.code == 3, ended.out
    assert "systemd could not prepare the sandbox of mastodon-update-check@second.service" in ended.out
    machine.shell(f"rm {STATE}/second /etc/mastodon-update-check/second.env")


def test_hostile_tree(program: Program, machine: Machine, site: Site) -> None:
    """Links that the tree's owner has put in the place of files are not followed by root."""
    root = site.root
    machine.shell(f"cd {root} && mv .env.production former && runuser -u mastodon -- ln -s /etc/shadow .env.production")
    before = machine.cursor()
    machine.shell(f"systemctl reload {UNIT}")
    copy = machine.shell("cat /run/mastodon-update-check/*.env")
    assert "root:" not in copy
    said = " ".join(str(line["MESSAGE"]) for line in machine.journal(UNIT, before))
    assert "cannot be copied" in said, said
    machine.run("mastodon-update-check setup --yes --tell mark --no-test 2>&1")
    assert "root:" not in machine.shell("cat /run/mastodon-update-check/*.env /etc/mastodon-update-check/*")
    machine.shell(f"cd {root} && mv --force former .env.production && systemctl reload {UNIT}")
    assert "SMTP_SERVER" in machine.shell("cat /run/mastodon-update-check/mastodon.env")
    program.wait_running()


def test_hostile_directories(program: Program, machine: Machine, site: Site) -> None:
    """The tree's owner may replace its directories by links or files: the service starts, and sees nothing else."""
    machine.shell(f"cd {site.root} && runuser -u mastodon -- sh -c 'mkdir -p config && touch config/of-mastodon'")
    machine.shell("install -d -m 0700 /home/backup && install -d /home/backup/etc && touch /home/backup/etc/of-others")

    def restart_and_list() -> str:
        before = program.pid
        machine.shell(f"systemctl restart {UNIT}")
        program.wait_running(other_than=before)
        return machine.run(f"ls /proc/{program.pid}/root{site.root}/config 2>&1").out

    assert "of-mastodon" in restart_and_list()
    for attack in ("ln -s config config", "ln -s / config", "ln -s /home/backup config", "touch config"):
        machine.shell(f"cd {site.root} && runuser -u mastodon -- sh -c 'mv config kept && {attack}'")
        assert "etc" not in restart_and_list().split(), attack
        machine.shell(f"cd {site.root} && rm config && mv kept config")
    assert "of-mastodon" in restart_and_list()
    mounted = "/run/mastodon-update-check/trees/mastodon/config"
    assert machine.run(f"ls {mounted}/of-mastodon").code == 0
    assert machine.run(f"touch {mounted}/x").code != 0
    # Only the service sees them, and not past the modes of the home.
    assert machine.run(f"runuser -u nobody -- ls {mounted}").code != 0


def _inside(machine: Machine, site: Site) -> dict[str, Any]:
    """Run the intruder in a copy of the real unit."""
    machine.shell("install -m 0644 /opt/site/intruder.py /usr/local/lib/intruder.py")
    lines = machine.shell(f"systemctl cat {UNIT}").splitlines()
    dropped = ("ExecStart", "ExecReload", "Type=", "Restart", "WatchdogSec", "WantedBy", "StateDirectory=", "[Install]")
    kept = [line for line in lines if not line.startswith(dropped)]
    # Drop-ins follow in sections of their own, and so may ours.
    added = (
        "[Service]",
        "Type=oneshot",
        "StateDirectory=mastodon-update-check",
        f"ExecStart=/usr/bin/python3 -IS /usr/local/lib/intruder.py {site.root}",
        "StandardOutput=file:/run/intruder.json",
    )
    machine.shell("cat > /run/systemd/system/intruder.service <<'UNIT'\n" + "\n".join((*kept, *added)) + "\nUNIT")
    machine.shell("systemctl daemon-reload; systemctl start intruder || { journalctl -u intruder; false; }")
    found: dict[str, Any] = json.loads(machine.shell("cat /run/intruder.json"))
    return found


def _as_role(machine: Machine, statements: str) -> str:
    asked = f'runuser -u {USER} -- psql --no-psqlrc -At mastodon_production -c "{statements}"'
    return machine.run(f"cd / && {asked} 2>&1").out.strip()
