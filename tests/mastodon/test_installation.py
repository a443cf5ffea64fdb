"""How Mastodon was installed, as far as can be seen from outside."""

from pathlib import Path

import pytest

from domain.examples import version
from mastodon_update_check.domain.upgrades import InstallKind
from mastodon_update_check.mastodon.tree import detect_kind


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
    assert detect_kind(tmp_path / "live", version(installed), tmp_path) is kind
