"""README, and a page of docs, followed word for word in a root shell; the update server has its real name here."""

from acceptance.documents import blocks
from acceptance.machine import Machine
from acceptance.program import Program
from acceptance.site import Site

METRICS = "/var/lib/prometheus/node-exporter"


def test_setup(program: Program, machine: Machine, site: Site) -> None:
    """What stands under "Install" installs it and sets it up; questions are answered at the terminal."""
    site.update_server.publish("4.5.20", urgent=True)
    machine.shell(f"cd /root && install -D {program.package} dist/{program.package}")
    assert blocks("Install")
    for block in blocks("Install"):
        assert "mastodon-update-check" in block, block
        # The package has been made already, on another machine: this one has no checkout.
        lines = [line for line in block.splitlines() if not line.startswith("make deb")]
        ended = machine.answer("\n".join(("cd /root", *lines)), "n", "y", "y", "y")
        assert 0 == ended.code, f"{block}\n{ended.out}"
    program.wait_running()


def test_told(site: Site) -> None:
    """Everybody who is to be told has been told, and the update server was asked by its real name."""
    site.mailbox.wait_for(site.devops, "4.5.20")
    assert set(site.update_server.asked) == {"4.5.19"}


def test_see_that_it_works(machine: Machine) -> None:
    """The commands under "See that it works", each in a root shell, do what they say."""
    lines = [line.partition("#")[0].strip() for line in blocks("See that it works")[0].splitlines()]
    commands = [line for line in lines if line and not line.endswith(" run")]
    assert len(commands) > 3
    for command in commands:
        ended = machine.run(command)
        # `status` says by its exit code that an urgent update is to be installed.
        assert (2 if command.endswith("status") else 0) == ended.code, f"{command}\n{ended.out}"
        assert "Traceback" not in ended.out


def test_metrics(program: Program, machine: Machine) -> None:
    """What docs/INSTALL.md says lets the service write where node_exporter, another user, reads."""
    machine.shell(f"install -d -o daemon {METRICS}")  # Debian's node_exporter owns it
    (block,) = blocks("Metrics for Prometheus", "docs/INSTALL.md")
    before = program.pid
    machine.shell(block)
    program.wait_running(other_than=before)
    reading = f"runuser -u nobody -- cat {METRICS}/mastodon_update_check.prom"
    machine.shell(f"for i in $(seq 60); do {reading} > /dev/null 2>&1 && break; sleep 1; done")
    assert "mastodon_update_check_urgent_updates_to_act_on{" in machine.shell(reading)
