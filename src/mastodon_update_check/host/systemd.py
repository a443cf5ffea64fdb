"""Questions to systemd: properties of units, as `systemctl show` prints them."""

import shlex
from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Final

from mastodon_update_check.domain.text import clean
from mastodon_update_check.host.programs import Run, run_program

LIMIT: Final = timedelta(seconds=10)
RUNNING: Final = Path("/run/systemd/system")
"""Exists where systemd is the init system (sd_booted(3))."""


class Properties:
    """The properties of one unit; of most there is one value, of some there are several lines."""

    def __init__(self, text: str) -> None:
        self._lines: dict[str, list[str]] = {}
        for line in text.splitlines():
            name, separator, value = line.partition("=")
            if separator and value:
                self._lines.setdefault(name, []).append(value)

    def one(self, name: str) -> str:
        """Return the value of a property, without control characters; empty if it is not set."""
        return clean(self._lines.get(name, [""])[0], 1_000)

    def all(self, name: str) -> Sequence[str]:
        """Return the lines of a property."""
        return self._lines.get(name, [])

    def variables(self) -> Iterator[tuple[str, str]]:
        """Yield the variables of `Environment=`, except those in quotes that only systemd writes."""
        for line in self.all("Environment"):
            yield from _split(line)


def show(units: Iterable[str], properties: str, run: Run = run_program) -> Sequence[Properties]:
    """Return the properties of each unit, or of each loaded unit that a pattern matches; nothing without systemd."""
    answer = run(("systemctl", "show", f"--property={properties}", "--no-pager", "--", *units), limit=LIMIT)
    return [Properties(block) for block in answer.out.split("\n\n")] if answer.has_worked else []


def show_unit(unit: str, properties: str, run: Run = run_program) -> Properties | None:
    """Return the properties of a unit; None without systemd. A unit that does not exist is `LoadState=not-found`."""
    found = show([unit], properties, run)
    return found[0] if found else None


def _split(line: str) -> Iterator[tuple[str, str]]:
    try:
        words = shlex.split(line)
    except ValueError:
        return
    for word in words:
        name, separator, text = word.partition("=")
        if separator:
            yield name, text
