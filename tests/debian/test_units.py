"""The units of the package agree with each other and with the program."""

import re
from configparser import RawConfigParser
from pathlib import Path

import pytest

from mastodon_update_check.config.variables import CONFIG_FILE

PROJECT = Path(__file__).parents[2]
UNITS = PROJECT / "systemd"
SANDBOX = re.compile(r"# --- the sandbox.*?\n(.*)# --- end of the sandbox ---", re.DOTALL)
PROGRAM = "/usr/bin/mastodon-update-check"


def directives(name: str) -> list[str]:
    """Return the lines of a unit that say something to systemd."""
    return [line for line in (UNITS / name).read_text().splitlines() if line and line[0] not in "#["]


def sandbox(name: str) -> list[str]:
    """Return the lines of its sandbox."""
    match = SANDBOX.search((UNITS / name).read_text())
    assert match
    return [line for line in match[1].splitlines() if line and not line.startswith("#")]


@pytest.mark.parametrize("name", ["mastodon-update-check@.service", "mastodon-update-check-once.service"])
def test_same_sandbox(name: str) -> None:
    """Every unit has the sandbox of the first one, with a state directory of its own."""
    assert sandbox("mastodon-update-check.service") == [line.replace("/%i", "") for line in sandbox(name)]
    assert "StateDirectory=mastodon-update-check" in [line.replace("/%i", "") for line in directives(name)]


def test_template_differs_by_name_alone() -> None:
    """The unit for one of several servers is the first one, with its name where something is its own."""
    named = directives("mastodon-update-check@.service")
    own = f"Environment=UPDATE_CHECK_CONFIG={CONFIG_FILE.parent}/%i.env"
    plain = [line.replace("/%i", "").replace(" %i", "").replace("the Mastodon", "this Mastodon") for line in named]
    assert directives("mastodon-update-check.service") == [line for line in plain if line != own.replace("/%i", "")]
    assert own in named


def test_every_program_exists() -> None:
    """What the units start is in the package, or on every system."""
    for unit in UNITS.glob("*.service"):
        for line in directives(unit.name):
            if line.startswith("Exec"):
                assert line.partition("=")[2].lstrip("-+").split()[0] in {PROGRAM, "/bin/sh"}
    assert (PROJECT / "packaging" / "bin" / "mastodon-update-check").stat().st_mode & 0o111


def test_only_the_timer_excludes_the_service() -> None:
    """Service and timer stop each other; one check by hand stops neither."""
    parser = RawConfigParser(strict=False)
    parser.read(UNITS / "mastodon-update-check-once.timer")
    assert "mastodon-update-check.service" == parser["Unit"]["Conflicts"]
    assert not [line for unit in UNITS.glob("*.service") for line in directives(unit.name) if "Conflicts" in line]


def test_users_agree() -> None:
    """The user that the package makes is the one whom the units, the scripts and PostgreSQL know."""
    user = (UNITS / "sysusers.d" / "mastodon-update-check.conf").read_text().splitlines()[-1].split()[1]
    for unit in UNITS.glob("*.service"):
        assert f"User={user}" in directives(unit.name)
    scripts = [PROJECT / "packaging" / "debian" / name for name in ("postinst", "postrm")]
    for file in (*scripts, PROJECT / "packaging" / "postgresql" / "install.sql"):
        assert user in file.read_text()
