"""How Mastodon was installed on this machine: what kind it is, whose the tree is, which units run it. Only looks."""

import pwd
import subprocess
from collections.abc import Sequence
from pathlib import Path

from mastodon_update_check.domain.upgrades import Installation, InstallKind
from mastodon_update_check.domain.versions import MastodonVersion
from mastodon_update_check.files.foreign import is_missing

SYSTEMCTL_SECONDS = 5
_PARTS = ("sidekiq", "web", "streaming")
_SHOW = ("systemctl", "show", "--property=Id,WorkingDirectory", *(f"*{part}*.service" for part in _PARTS))
_DEFAULT = Installation(kind=InstallKind.SOURCE, root="")


def detect_kind(root: Path, installed: MastodonVersion | None, system: Path = Path("/")) -> InstallKind:
    """Return what kind of installation this is.

    Args:
        root: the Mastodon tree, which may not be there.
        installed: the installed version; what a fork appends to it gives the fork away.
        system: the root of the file system, for tests.
    """
    if (system / "etc/NIXOS").exists():
        return InstallKind.NIXOS
    if (system / "etc/yunohost").exists():
        return InstallKind.YUNOHOST
    if is_missing(root):
        return InstallKind.DOCKER
    if installed is not None and installed.text.removeprefix("v") != installed.name:
        return InstallKind.FORK
    return InstallKind.SOURCE


def find_owner(root: Path) -> str:
    """Return the name of the user who owns the tree; `mastodon` where that cannot be told."""
    try:
        return pwd.getpwuid(root.stat().st_uid).pw_name
    except (OSError, KeyError):  # no tree here, or an owner that only a container knows
        return _DEFAULT.user


def find_units(root: Path, show: Sequence[str] = _SHOW) -> tuple[str, ...]:
    """Return the units that run in the tree, without their ending; Mastodon's usual ones where systemd knows none.

    Args:
        root: the Mastodon tree.
        show: prints `Id=` and `WorkingDirectory=` of each unit in question, with a blank line between two.
    """
    try:
        finished = subprocess.run(  # noqa: S603 - a fixed command; nothing in it comes from outside
            show, capture_output=True, text=True, timeout=SYSTEMCTL_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired, UnicodeDecodeError):  # no systemd here, or one that does not answer
        return _DEFAULT.units
    blocks = (dict(line.partition("=")[::2] for line in block.splitlines()) for block in finished.stdout.split("\n\n"))
    found = sorted(
        block["Id"].removesuffix(".service") for block in blocks if _is_beneath(block.get("WorkingDirectory", ""), root)
    )
    return tuple(found) or _DEFAULT.units


def _is_beneath(directory: str, root: Path) -> bool:
    """Whether a unit runs in the tree, whichever of them is a link to the other."""
    return bool(directory) and Path(directory.lstrip("!-")).resolve() == root.resolve()
