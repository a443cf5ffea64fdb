"""Units of this host, as `systemctl show` prints them, and those that run Mastodon, with the owner of its tree."""

import os
import pwd
import shlex
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from mastodon_update_check.domain.text import clean
from mastodon_update_check.domain.upgrades import CommandValues, InstallKind
from mastodon_update_check.host.programs import Run, run_program
from mastodon_update_check.mastodon.tree import VERSION_FILE

LIMIT: Final = timedelta(seconds=10)
_PATTERNS: Final = tuple(f"*{part}*.service" for part in ("sidekiq", "web", "puma", "streaming"))
_BACKGROUND: Final = ("*sidekiq*.service", "*streaming*.service")
_DEFAULT: Final = CommandValues(kind=InstallKind.SOURCE, root="")
_UNMAPPED_UID: Final = 65_534
"""The owner that a user namespace shows of every file that is not this user's (user_namespaces(7))."""


class Properties:
    """The properties of one unit; of most there is one value, of some there are several lines."""

    def __init__(self, text: str) -> None:
        self._lines: dict[str, list[str]] = {}
        for line in text.splitlines():
            name, _, value = line.partition("=")
            if value:
                self._lines.setdefault(name, []).append(value)

    def one(self, name: str) -> str:
        """Return the value of a property, without control characters; empty if it is not set."""
        return clean(self._lines.get(name, [""])[0], 1_000)

    def all(self, name: str) -> Sequence[str]:
        """Return the lines of a property."""
        return self._lines.get(name, [])

    @property
    def directory(self) -> str:
        """The working directory, without systemd's marks before it."""
        return self.one("WorkingDirectory").lstrip("!-")

    @property
    def variables(self) -> Mapping[str, str]:
        """The variables of `Environment=`, except those in quotes that only systemd writes."""
        words = []
        for line in self.all("Environment"):
            with suppress(ValueError):
                words += shlex.split(line)
        return dict(word.split("=", 1) for word in words if "=" in word)


def show(units: Iterable[str], properties: str, run: Run = run_program) -> Sequence[Properties]:
    """Return the properties of each unit, or of each loaded unit that a pattern matches; nothing without systemd."""
    answer = run(("systemctl", "show", f"--property={properties}", "--no-pager", "--", *units), limit=LIMIT)
    return [Properties(block) for block in answer.out.split("\n\n")] if answer.has_worked else []


def show_unit(unit: str, properties: str, run: Run = run_program) -> Properties | None:
    """Return the properties of a unit; None without systemd. A unit that does not exist is `LoadState=not-found`."""
    return next(iter(show([unit], properties, run)), None)


def find_owner(root: Path) -> str:
    """Return the name of the user who owns the tree; `mastodon` where that is not known.

    The directory of the version file is examined: in the unit's sandbox the tree's root is made by systemd.
    """
    with suppress(OSError, KeyError):  # without a tree here, or with an owner that only a container knows
        uid = (root / VERSION_FILE).parent.stat().st_uid
        return _DEFAULT.user if uid == _UNMAPPED_UID else pwd.getpwuid(uid).pw_name
    return _DEFAULT.user


def find_units(root: Path, run: Run = run_program) -> tuple[str, ...]:
    """Return the units that run in the tree, without their ending; Mastodon's usual ones where systemd knows none."""
    units = show(_PATTERNS, "Id,WorkingDirectory", run)
    return tuple(sorted(each.one("Id").removesuffix(".service") for each in _beneath(units, root))) or _DEFAULT.units


def find_running(root: Path, run: Run = run_program) -> Mapping[str, datetime]:
    """Return when each active service of Sidekiq and streaming that runs in the tree was started."""
    units = show(_BACKGROUND, "Id,WorkingDirectory,ActiveState,ActiveEnterTimestampMonotonic", run)
    booted = time.time() - time.monotonic()
    since = {
        unit.one("Id"): unit.one("ActiveEnterTimestampMonotonic")
        for unit in _beneath(units, root)
        if unit.one("ActiveState") == "active"
    }
    return {unit: datetime.fromtimestamp(booted + int(at) / 1e6, UTC) for unit, at in since.items() if at.isdecimal()}


def _beneath(units: Iterable[Properties], root: Path) -> list[Properties]:
    """Return the units that run in the tree, whether or not one of both paths is a link to the other."""
    # `Path.resolve` raises an error for a loop of links before Python 3.13; another user may have made one.
    tree = os.path.realpath(root)
    return [unit for unit in units if unit.directory and os.path.realpath(unit.directory) == tree]
