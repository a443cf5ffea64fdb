"""What a unit gives its process, as systemd says it: user, environment, state, and what it sees of the file system.

systemd is asked, not the unit's files: it has put them and their drop-ins together.
"""

import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from mastodon_update_check.host.programs import Run

_HOMES: Final = (Path("/home"), Path("/root"), Path("/run/user"))
_PROPERTIES: Final = (
    "LoadState",
    "User",
    "Group",
    "SupplementaryGroups",
    "Environment",
    "StateDirectory",
    "ProtectHome",
    "TemporaryFileSystem",
    "BindReadOnlyPaths",
    "BindPaths",
)


@dataclass(frozen=True, slots=True)
class Bind:
    """One directory or file that a unit sees at `target`."""

    source: Path
    target: Path
    is_writable: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitView:
    """What a unit gives its process."""

    user: str
    group: str
    """Empty: the user's own."""
    supplementary_groups: tuple[str, ...]
    environment: Mapping[str, str]
    state_directory: str
    """Below /var/lib; empty if there is none."""
    hidden: tuple[Path, ...]
    """Directories that are empty for it, but for what is bound there."""
    binds: tuple[Bind, ...]


def look(unit: str, run: Run) -> UnitView | None:
    """Return what a unit gives its process; None if there is no such unit, or it has no user of its own."""
    answer = run(("systemctl", "show", unit, f"--property={','.join(_PROPERTIES)}"), "")
    return read_view(answer.out) if answer.has_worked else None


def read_properties(text: str) -> dict[str, list[str]]:
    """Read what `systemctl show` prints; a property with several values may have several lines."""
    properties: dict[str, list[str]] = {}
    for line in text.splitlines():
        name, separator, value = line.partition("=")
        if separator and value:
            properties.setdefault(name, []).append(value)
    return properties


def read_view(text: str) -> UnitView | None:
    """Read the answer of `systemctl show`; None as for `look`."""
    properties = read_properties(text)

    def one(name: str) -> str:
        return properties.get(name, [""])[0]

    if one("LoadState") != "loaded" or one("User") in {"", "root", "0"}:
        return None
    temporary = [Path(_target(word)) for word in _words(properties.get("TemporaryFileSystem", ()))]
    homes = _HOMES if one("ProtectHome") in {"yes", "tmpfs"} else ()
    return UnitView(
        user=one("User"),
        group=one("Group"),
        supplementary_groups=tuple(_words(properties.get("SupplementaryGroups", ()))),
        environment=dict(_variables(properties.get("Environment", ()))),
        state_directory=one("StateDirectory").split(" ")[0].split(":")[0],
        hidden=(*homes, *temporary),
        binds=tuple(
            _read_bind(word, is_writable=name == "BindPaths")
            for name in ("BindReadOnlyPaths", "BindPaths")
            for word in _words(properties.get(name, ()))
        ),
    )


def find_credentials(unit: str, run: Run) -> tuple[tuple[str, str], ...]:
    """Return the id of each secret of a unit and where it is loaded from: only the unit's text says that."""
    found: dict[str, str] = {}
    for line in run(("systemctl", "cat", unit), "").out.splitlines():
        if line.strip() == "LoadCredential=":
            found.clear()
        elif line.startswith("LoadCredential="):
            name, _, source = line.partition("=")[2].strip().partition(":")
            found[name] = source or name
    return tuple(found.items())


def _words(values: Iterable[str]) -> Iterable[str]:
    for value in values:
        yield from value.split()


def _target(word: str) -> str:
    return word.partition(":")[0]


def _read_bind(word: str, *, is_writable: bool) -> Bind:
    source, _, rest = word.removeprefix("-").partition(":")
    return Bind(Path(source), Path(_target(rest) or source), is_writable)


def _variables(values: Iterable[str]) -> Iterable[tuple[str, str]]:
    for value in values:
        try:
            words = shlex.split(value)
        except ValueError:  # quotes that systemd writes in another way: such a variable is not taken
            words = value.split()
        for word in words:
            name, separator, text = word.partition("=")
            if separator:
                yield name, text
