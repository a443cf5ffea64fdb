"""What somebody could do who had got hold of the process, or of the database's role: tried, not presumed."""

import json
from typing import Any

from acceptance.machine import Machine
from acceptance.program import QUICK, STATE, UNIT, USER, Program
from acceptance.site import Site

ALLOWED = {
    "read Mastodon's version",
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
    "a netlink socket",
    "make a set-user-ID program",
}
"""What the same user may do outside of the sandbox: otherwise the attempts would prove nothing."""


def test_setup(program: Program, machine: Machine, site: Site) -> None:
    """The unit runs, set up as ever."""
    program.install(program.package)
    program.add_settings(QUICK)
    machine.shell("mastodon-update-check setup --yes --tell now --no-test 2>&1")
    program.wait_running()
    site.update_server.wait_for_question()


def test_intruder(machine: Machine, site: Site) -> None:
    """In the sandbox nothing works but what the service needs; no place can be written to but its own."""
    found = _inside(machine, site)
    assert ALLOWED == {name for name, worked in found["outcomes"].items() if worked}
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


def test_hostile_tree(program: Program, machine: Machine, site: Site) -> None:
    """A tree whose owner has put links in the place of files makes root's part hand out nothing."""
    root = site.root
    machine.shell(f"cd {root} && mv .env.production former && runuser -u mastodon -- ln -s /etc/shadow .env.production")
    before = machine.cursor()
    machine.shell(f"systemctl reload {UNIT}")
    copy = machine.shell("cat /run/mastodon-update-check/*")
    assert "root:" not in copy
    said = " ".join(str(line["MESSAGE"]) for line in machine.journal(UNIT, before))
    assert "cannot be copied" in said, said
    machine.run("mastodon-update-check setup --yes --tell mark --no-test 2>&1")
    assert "root:" not in machine.shell("cat /run/mastodon-update-check/* /etc/mastodon-update-check/*")
    machine.shell(f"cd {root} && mv --force former .env.production && systemctl reload {UNIT}")
    assert "SMTP_SERVER" in machine.shell("cat /run/mastodon-update-check/mastodon.env")
    program.wait_running()


def _inside(machine: Machine, site: Site) -> dict[str, Any]:
    """Run the intruder in a unit that is the real one but for what it runs."""
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
