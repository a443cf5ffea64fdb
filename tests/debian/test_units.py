"""The units of the package agree with each other and with the program."""

import re
from configparser import RawConfigParser
from pathlib import Path

import pytest

from mastodon_update_check.config.settings import CONFIG_FILE

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
    assert [line.replace("/%i", "") for line in sandbox(name)] == sandbox("mastodon-update-check.service")
    assert "StateDirectory=mastodon-update-check" in [line.replace("/%i", "") for line in directives(name)]


@pytest.mark.parametrize("name", ["%s.service", "%s-settings.service", "%s-settings.path"])
def test_template_differs_by_name_alone(name: str) -> None:
    """The unit for one of several servers is the first one, with its name where something is its own."""
    plain = name % "mastodon-update-check"
    named = directives(plain.replace(".", "@.", 1))
    own = "Environment=UPDATE_CHECK_CONFIG=/etc/mastodon-update-check.env"
    lines = [re.sub("[/@ ]?%i", "", line).replace("the Mastodon", "this Mastodon") for line in named]
    assert [line for line in lines if line != own] == directives(plain)
    assert (own in lines) is (name == "%s.service")
    assert f"Environment=UPDATE_CHECK_CONFIG={CONFIG_FILE.parent}/%i.env" in directives(
        "mastodon-update-check@.service"
    )


def test_every_program_exists() -> None:
    """The units start only programs of the package, or of every system."""
    for unit in UNITS.glob("*.service"):
        for line in directives(unit.name):
            if line.startswith("Exec") and not line.startswith("ExecPaths"):
                words = line.partition("=")[2].lstrip("-+").split()
                assert words[0] in {PROGRAM, "/bin/sh", "/bin/sleep", "/bin/systemctl", "/usr/bin/nsenter"}
                assert words[0] != "/usr/bin/nsenter" or PROGRAM in words
    assert (PROJECT / "packaging" / "bin" / "mastodon-update-check").stat().st_mode & 0o111


def test_only_the_timer_excludes_the_service() -> None:
    """Service and timer stop each other; one check by hand stops neither."""
    parser = RawConfigParser(strict=False)
    parser.read(UNITS / "mastodon-update-check-once.timer")
    assert parser["Unit"]["Conflicts"] == "mastodon-update-check.service"
    assert not [line for unit in UNITS.glob("*.service") for line in directives(unit.name) if "Conflicts" in line]


def test_reload_checks_the_settings_before_it_signals() -> None:
    """`systemctl reload` fails with wrong settings: they are copied, then read, then the daemon is signalled."""
    reloads = [line for line in directives("mastodon-update-check.service") if line.startswith("ExecReload=")]
    assert [line.rpartition(" ")[2] for line in reloads] == ["copy-settings", "check-settings", "$MAINPID'"]
    assert reloads[1] == f"ExecReload={PROGRAM} check-settings"


def test_sandbox_and_stop() -> None:
    """Neither the tree in the sandbox, nor the ledger's directory, nor /tmp can be executed or loaded.

    At a stop only the main process is asked; a child that is out of memory does not end the service.
    """
    state = "/var/lib/mastodon-update-check"
    lines = {f"NoExecPaths=/ /tmp /var/tmp {state}", "ExecPaths=/usr", f"BindPaths={state}"}
    assert lines <= set(sandbox("mastodon-update-check.service"))
    assert {"KillMode=mixed", "OOMPolicy=continue"} <= set(directives("mastodon-update-check.service"))


def test_users_agree() -> None:
    """The user that the package makes is the one of the units, the scripts and PostgreSQL."""
    user = (UNITS / "sysusers.d" / "mastodon-update-check.conf").read_text().splitlines()[-1].split()[1]
    for unit in UNITS.glob("*.service"):
        assert (f"User={user}" in directives(unit.name)) is ("-settings" not in unit.name)
    scripts = [PROJECT / "packaging" / "debian" / name for name in ("postinst", "postrm")]
    for file in (*scripts, PROJECT / "packaging" / "postgresql" / "install.sql"):
        assert user in file.read_text()
