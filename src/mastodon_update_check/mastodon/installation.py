"""How Mastodon was installed on this machine. Only looks."""

from pathlib import Path

from mastodon_update_check.domain.upgrades import InstallKind
from mastodon_update_check.domain.versions import MastodonVersion
from mastodon_update_check.files.foreign import is_missing


def detect_kind(root: Path, installed: MastodonVersion | None, system: Path = Path("/")) -> InstallKind:
    """Return what kind of installation this is; what a fork appends to the installed version gives it away."""
    if (system / "etc/NIXOS").exists():
        return InstallKind.NIXOS
    if (system / "etc/yunohost").exists():
        return InstallKind.YUNOHOST
    if is_missing(root):
        return InstallKind.DOCKER
    if installed is not None and installed.text.removeprefix("v") != installed.name:
        return InstallKind.FORK
    return InstallKind.SOURCE
