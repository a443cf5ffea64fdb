"""A fresh clone on a bare Debian with git, make, python3 and python3-venv: `make run` and `make test` for a person."""

import re
import subprocess
from collections.abc import Callable
from time import monotonic

import pytest

from acceptance.documents import PROJECT
from acceptance.machine import Finished, Machine
from acceptance.wheels import download

IMAGE = "bare"
Person = Callable[[str], Finished]
Note = Callable[[str, object], None]
pytestmark = pytest.mark.timeout(3_000)


@pytest.fixture(scope="module")
def person(machine: Machine) -> Person:
    """Return what runs a command as an ordinary user in a clone; pip finds its files on this machine."""
    python = machine.shell("python3 -c 'import sys; print(\"%d.%d\" % sys.version_info[:2])'").strip()
    download(("build.txt", "run.txt", "test.txt"), python, machine.root / "opt" / "wheels")
    bundle = ("git", "-C", PROJECT, "bundle", "create", "--quiet", machine.root / "opt" / "bundle", "HEAD")
    subprocess.run(bundle, check=True)
    machine.shell("useradd --create-home --shell /bin/bash person")
    machine.shell("runuser -l person -c 'git clone --quiet /opt/bundle clone'")
    settings = "umask 0002; export PIP_NO_INDEX=1 PIP_FIND_LINKS=/opt/wheels"
    return lambda command: machine.run(f"runuser -l person -c '{settings}; cd clone && {command}' 2>&1", seconds=2_700)


def test_make_run(person: Person, record_property: Note) -> None:
    """`make run` shows the demonstration from its first line to its last, and leaves nothing behind."""
    begun = monotonic()
    ended = person("make run")
    assert ended.code == 0, ended.out
    record_property("figure", f"make run in a fresh clone, without downloads: {monotonic() - begun:.0f} s")
    assert "demonstration" in ended.out
    assert "4.5.20" in ended.out
    assert person("find /tmp /var/tmp -user person 2>/dev/null || true").out.strip() == ""


def test_make_test(person: Person, record_property: Note) -> None:
    """`make test` passes for an ordinary user with umask 0002."""
    begun = monotonic()
    ended = person("make test")
    record_property("figure", f"make test in a fresh clone, without downloads: {monotonic() - begun:.0f} s")
    assert ended.code == 0, ended.out[-10_000:]
    (summary,) = re.findall(r"^=+ (.*\d+ passed.*) =+$", ended.out, re.MULTILINE)
    record_property("figure", f"make test: {summary}")
