"""The user who owns Mastodon's tree, and the units that run it."""

import os
import pwd
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from mastodon_update_check.domain.upgrades import CommandValues, InstallKind
from mastodon_update_check.host.programs import Run, run_program
from mastodon_update_check.host.systemd import show
from mastodon_update_check.mastodon.tree import VERSION_FILE

_PATTERNS: Final = tuple(f"*{part}*.service" for part in ("sidekiq", "web", "puma", "streaming"))
_BACKGROUND: Final = ("*sidekiq*.service", "*streaming*.service")
_DEFAULT: Final = CommandValues(kind=InstallKind.SOURCE, root="")
_UNMAPPED_UID: Final = 65_534
"""The owner that a user namespace shows of every file that is not this user's (user_namespaces(7))."""


def find_owner(root: Path) -> str:
    """Return the name of the user who owns the tree; `mastodon` where that is not known.

    The directory of the version file is asked: in the unit's sandbox the tree's root is made by systemd.
    """
    try:
        uid = (root / VERSION_FILE).parent.stat().st_uid
        return _DEFAULT.user if uid == _UNMAPPED_UID else pwd.getpwuid(uid).pw_name
    except (OSError, KeyError):  # no tree here, or an owner that only a container knows
        return _DEFAULT.user


def find_units(root: Path, run: Run = run_program) -> tuple[str, ...]:
    """Return the units that run in the tree, without their ending; Mastodon's usual ones where systemd knows none."""
    found = sorted(
        unit.one("Id").removesuffix(".service")
        for unit in show(_PATTERNS, "Id,WorkingDirectory", run)
        if _is_beneath(unit.one("WorkingDirectory"), root)
    )
    return tuple(found) or _DEFAULT.units


def find_running(root: Path, run: Run = run_program) -> Mapping[str, datetime]:
    """Return when each active service of Sidekiq and streaming that runs in the tree was started."""
    found = {}
    for unit in show(_BACKGROUND, "Id,WorkingDirectory,ActiveState,ActiveEnterTimestampMonotonic", run):
        since = unit.one("ActiveEnterTimestampMonotonic")
        is_running = unit.one("ActiveState") == "active" and since.isdecimal()
        if is_running and _is_beneath(unit.one("WorkingDirectory"), root):
            found[unit.one("Id")] = datetime.fromtimestamp(time.time() - time.monotonic() + int(since) / 1e6, UTC)
    return found


def _is_beneath(directory: str, root: Path) -> bool:
    """Return whether a unit runs in the tree, whichever of them is a link to the other."""
    # `Path.resolve` raises an error for a loop of links before Python 3.13; another user may have made one.
    return bool(directory) and os.path.realpath(directory.lstrip("!-")) == os.path.realpath(root)
