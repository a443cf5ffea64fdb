"""How Mastodon was installed, as far as can be seen from outside."""

import os
import pwd
import sys
from pathlib import Path

import pytest

from domain.examples import version
from mastodon_update_check.domain.upgrades import InstallKind
from mastodon_update_check.mastodon.installation import detect_kind, find_owner, find_units


@pytest.mark.parametrize(
    ("paths", "installed", "kind"),
    [
        (["live"], "4.5.19", InstallKind.SOURCE),
        (["live"], "v4.5.19", InstallKind.SOURCE),
        (["live"], "4.7.0-beta.1", InstallKind.SOURCE),
        (["live"], "4.5.19+glitch", InstallKind.FORK),
        (["live"], "4.5.19-bark", InstallKind.FORK),
        ([], "4.5.19", InstallKind.DOCKER),
        (["live", "etc/yunohost"], "4.5.19", InstallKind.YUNOHOST),
        (["live", "etc/NIXOS"], "4.5.19", InstallKind.NIXOS),
    ],
)
def test_kind(tmp_path: Path, paths: list[str], installed: str, kind: InstallKind) -> None:
    """By what the system has, by the tree, and by what the version says of itself."""
    for path in paths:
        (tmp_path / path).mkdir(parents=True)
    assert kind is detect_kind(tmp_path / "live", version(installed), tmp_path)


def test_owner(tmp_path: Path) -> None:
    """Whoever owns the tree upgrades it; without one, the user of Mastodon's guide."""
    assert pwd.getpwuid(os.getuid()).pw_name == find_owner(tmp_path)
    assert "mastodon" == find_owner(tmp_path / "missing")


def printing(text: str) -> tuple[str, ...]:
    """Return a command that prints this."""
    return (sys.executable, "-c", f"print({text!r})")


def test_units_are_those_that_run_in_the_tree(tmp_path: Path) -> None:
    """Another server's units, and other people's `-web` units, are not restarted; a link to the tree is the tree."""
    (tmp_path / "real").mkdir()
    (tmp_path / "live").symlink_to("real")
    shown = [
        f"WorkingDirectory={tmp_path}/real\nId=masto-web.service",
        f"Id=masto-sidekiq@push.service\nWorkingDirectory=!{tmp_path}/live",
        "WorkingDirectory=/srv/other/live\nId=other-web.service",
        "WorkingDirectory=\nId=cockpit-web.service",
    ]
    assert ("masto-sidekiq@push", "masto-web") == find_units(tmp_path / "live", printing("\n\n".join(shown)))


@pytest.mark.parametrize("command", [printing(""), ("/nowhere/systemctl",), printing("\n\n\x00")])
def test_without_units_the_usual_ones(tmp_path: Path, command: tuple[str, ...]) -> None:
    """Where systemd knows none, or is not there, the names of Mastodon's guide are given."""
    assert ("mastodon-sidekiq", "mastodon-web", "mastodon-streaming") == find_units(tmp_path, command)
