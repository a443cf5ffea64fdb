"""README, and pages of docs, followed word for word in a root shell; every server has its real name here."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from acceptance.documents import blocks
from acceptance.machine import Machine
from acceptance.program import Program
from acceptance.repository import SERVED, Maintainer
from acceptance.site import Site

METRICS = "/var/lib/prometheus/node-exporter"
FORGET = "rm -rf /var/lib/apt/lists/* /var/cache/apt/archives/*.deb"
VERSION = "dpkg-query --show --showformat '${Version}' mastodon-update-check"


@pytest.fixture(scope="module")
def maintainer(tmp_path_factory: pytest.TempPathFactory) -> Maintainer:
    """Return the holder of the key that README's lines install."""
    return Maintainer(tmp_path_factory.mktemp("maintainer"))


@pytest.fixture(scope="module")
def impostor(tmp_path_factory: pytest.TempPathFactory) -> Maintainer:
    """Return the holder of another key, of the same name."""
    return Maintainer(tmp_path_factory.mktemp("impostor"))


@pytest.fixture
def served(machine: Machine) -> Iterator[Path]:
    """Return the directory of the repository that is served; it is as before afterwards."""
    machine.shell(f"cp --archive /{SERVED} /srv/kept")
    yield machine.root / SERVED
    machine.shell(f"rm -rf /{SERVED} && mv /srv/kept /{SERVED}")


def test_setup(
    program: Program, machine: Machine, site: Site, maintainer: Maintainer, packages: tuple[Path, Path]
) -> None:
    """README's lines install it from the apt repository and set it up; questions are answered at the terminal."""
    site.update_server.publish("4.5.20", urgent=True)
    maintainer.publish(machine, packages[0])
    (block,) = blocks("Install")
    ended = machine.answer(f"cd /root\n{block}", "n", "y", "y", "y")
    assert ended.code == 0, ended.out
    program.wait_running()
    assert "https://packages.example.org" in machine.shell("apt-cache policy mastodon-update-check")


def test_notified(site: Site) -> None:
    """Each DevOps user is notified, and the update server was asked by its real name."""
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


def test_three_settings(program: Program, machine: Machine) -> None:
    """The lines under "Three settings" are accepted above those of `setup`, with README's command for a reload."""
    settings, reload = blocks("Three settings")
    with program.wrong_settings(settings):
        machine.shell(reload)
        assert "you@elsewhere.example" in program.command("recipients").out
    machine.shell(reload)


def test_metrics(program: Program, machine: Machine) -> None:
    """The lines of docs/INSTALL.md let the service write where node_exporter, another user, reads."""
    machine.shell(f"install -d -o daemon {METRICS}")  # Debian's node_exporter owns it
    (block,) = blocks("Metrics for Prometheus", "docs/INSTALL.md")
    before = program.pid
    machine.shell(block)
    program.wait_running(other_than=before)
    reading = f"runuser -u nobody -- cat {METRICS}/mastodon_update_check.prom"
    machine.shell(f"for i in $(seq 60); do {reading} > /dev/null 2>&1 && break; sleep 1; done")
    assert "mastodon_update_check_urgent_updates_to_act_on{" in machine.shell(reading)


def test_forged_signature(machine: Machine, served: Path, impostor: Maintainer, packages: tuple[Path, Path]) -> None:
    """A later version that another key has signed is not offered; without former lists apt refuses the repository."""
    assert served.is_dir()
    before = machine.shell(VERSION)
    impostor.publish(machine, packages[1])
    said = machine.run("apt update 2>&1").out
    assert "error occurred during the signature verification" in said, said
    machine.shell("DEBIAN_FRONTEND=noninteractive apt upgrade --yes 2>&1")
    assert machine.shell(VERSION) == before
    refused = machine.run(f"{FORGET}; apt update 2>&1")
    assert refused.code != 0, refused.out
    assert "is not signed" in refused.out
    assert "+next" not in machine.run("apt-cache policy mastodon-update-check").out


def test_altered_index(machine: Machine, served: Path, maintainer: Maintainer, packages: tuple[Path, Path]) -> None:
    """An index with the maintainer's signature that was altered afterwards is refused."""
    maintainer.publish(machine, packages[1])
    index = served / "dists" / "stable" / "InRelease"
    index.write_text(index.read_text().replace("Suite: stable", "Suite: stablE"))
    (served / "dists" / "stable" / "Release.gpg").unlink()
    refused = machine.run(f"{FORGET}; apt update 2>&1")
    assert refused.code != 0, refused.out
    assert "+next" not in machine.run("apt-cache policy mastodon-update-check").out


def test_altered_package(machine: Machine, served: Path, maintainer: Maintainer, packages: tuple[Path, Path]) -> None:
    """A package that differs from the signed index is not installed."""
    before = machine.shell(VERSION)
    maintainer.publish(machine, packages[1])
    (package,) = served.glob("pool/**/*.deb")
    content = bytearray(package.read_bytes())
    content[-1] ^= 1
    package.write_bytes(content)
    # The refused index of the scenario before is as long, and within the same second HTTP cannot tell them apart.
    machine.shell(f"{FORGET}; apt update 2>&1")
    refused = machine.run("DEBIAN_FRONTEND=noninteractive apt upgrade --yes 2>&1")
    assert refused.code != 0, refused.out
    assert machine.shell(VERSION) == before


def test_upgrade(program: Program, machine: Machine, maintainer: Maintainer, packages: tuple[Path, Path]) -> None:
    """A later version in the repository is installed by `apt upgrade`, and the service goes on with it."""
    process = program.pid
    maintainer.publish(machine, packages[1])
    machine.shell("apt update && DEBIAN_FRONTEND=noninteractive apt upgrade --yes 2>&1")
    assert "+next" in machine.shell(VERSION)
    program.wait_running(other_than=process)


def test_remove(machine: Machine) -> None:
    """The lines under "Remove it" remove it, and leave the other services running."""
    (block,) = blocks("Remove it")
    lines = [line.partition("#")[0].strip() for line in block.splitlines()]
    ended = machine.answer("\n".join(lines), "y", "y")
    assert ended.code == 0, ended.out
    assert machine.run(VERSION).code != 0
    assert machine.run("systemctl is-system-running").out.strip() == "running"
