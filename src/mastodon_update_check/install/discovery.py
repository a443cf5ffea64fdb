"""Looking for Mastodon on this host: units of its web server, and the usual trees. Nothing of it is run.

A unit's directory or a usual place counts when it holds Mastodon's version file. All of it may be hostile, except
units, which belong to root.
"""

import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from grp import getgrall
from pathlib import Path
from types import MappingProxyType
from typing import Final

from mastodon_update_check.config.names import is_taken_from_mastodon
from mastodon_update_check.domain.text import clean
from mastodon_update_check.errors import SetupError
from mastodon_update_check.files.foreign import ForeignDirectory
from mastodon_update_check.host.machine import Account, Machine
from mastodon_update_check.host.systemd import Properties, show
from mastodon_update_check.install.access import Access, Mode, decide_access
from mastodon_update_check.install.copying import EnvFiles, read_env_files, values

VERSION_FILE: Final = "lib/mastodon/version.rb"
NEEDED: Final = ("lib/mastodon", VERSION_FILE, "config", "config/mastodon.yml")
"""The sources of the version; the last two do not exist in every release."""
WEB_GROUP: Final = "www-data"
"""The group of the web server, to which some distributions give the tree."""
_PLACES: Final = ("home/mastodon/live", "var/www/mastodon*/live")
_PATTERNS: Final = (
    "mastodon-web.service",  # by its name also where it is not loaded, because it is neither enabled nor running
    *(f"*[-_]{part}.service" for part in ("web", "puma", "web@*", "puma@*")),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """One Mastodon on this host."""

    root: Path
    unit: str
    """The unit of its web server; empty if none is known."""
    owner: str
    access: Access
    files: EnvFiles
    unit_environment: Mapping[str, str] = field(repr=False)
    """The needed variables of its unit's environment, which has precedence over the files of settings."""
    environment_files: tuple[Path, ...]
    """Other files that its unit names by `EnvironmentFile=`; they are not read."""

    @property
    def variables(self) -> Mapping[str, str]:
        """Its settings, as Mastodon sees them; possibly with secrets."""
        return {**values(self.files.assignments), **self.unit_environment}


def find_roots(machine: Machine) -> tuple[Path, ...]:
    """Return the tree of every Mastodon that this host seems to run, those with a unit first."""
    places = (path for place in _PLACES for path in sorted(machine.prefix.glob(place)))
    roots = [root for root, _ in _units(machine)] + [Path("/") / path.relative_to(machine.prefix) for path in places]
    found: dict[tuple[int, int], Path] = {}
    for root in roots:
        if (identity := _identify(machine, root)) is not None:
            found.setdefault(identity, root)
    return tuple(found.values())


def examine(machine: Machine, root: Path) -> Installation:
    """Return the facts about the tree at `root`; raise `SetupError` if it is not a tree of Mastodon's."""
    if not root.is_absolute() or _identify(machine, root) is None:
        raise SetupError(f"{clean(str(root))} is not a tree of Mastodon's: it has no {VERSION_FILE} of its own")
    unit = next((one for directory, one in _units(machine) if directory == root), Properties(""))
    with ForeignDirectory(machine.real(root), machine.root_uid) as tree:
        owner = machine.find_account(tree.owner)
        needed = tuple(_modes(tree))
    files = read_env_files(machine, root)
    environment = {name: text for name, text in unit.variables() if is_taken_from_mastodon(name)}
    named = (Path(line.rpartition(" (")[0]) for line in unit.all("EnvironmentFiles"))
    return Installation(
        root=root,
        unit=unit.one("Id"),
        owner=owner.name if owner else "",
        access=decide_access(_trees(machine, root), needed, _groups(owner)),
        files=files,
        unit_environment=MappingProxyType(environment),
        environment_files=tuple(path for path in named if path not in files.paths),
    )


def _identify(machine: Machine, root: Path) -> tuple[int, int] | None:
    """Return what identifies a tree, by whichever path it is reached; None if it is not a tree of Mastodon's."""
    try:
        with ForeignDirectory(machine.real(root), machine.root_uid) as tree:
            status, own = tree.status(VERSION_FILE), tree.status("")
    except OSError:
        return None
    return (own.st_dev, own.st_ino) if stat.S_ISREG(status.st_mode) else None


def _units(machine: Machine) -> Iterator[tuple[Path, Properties]]:
    """Yield every loaded unit whose name looks like that of Mastodon's web server, with the directory it runs in."""
    for shown in show(_PATTERNS, "Id,WorkingDirectory,Environment,EnvironmentFiles", machine.run):
        directory = shown.one("WorkingDirectory").lstrip("!-")
        if directory.startswith("/"):
            yield Path(os.path.normpath(directory)), shown


def _modes(tree: ForeignDirectory) -> Iterator[Mode]:
    for name in NEEDED:
        try:
            status = tree.status(name)
        except FileNotFoundError:
            continue
        except OSError:  # a link, which the service does not follow
            yield stat.S_IFREG, -1
            continue
        yield status.st_mode, status.st_gid


def _trees(machine: Machine, root: Path) -> list[Path]:
    """Return the tree, or when its path is a link, the place of the link and the tree that it leads to."""
    real = Path("/") / machine.real(root).resolve().relative_to(machine.prefix.resolve())
    return [real] if real == root else [root.parent, real]


def _groups(owner: Account | None) -> dict[int, str]:
    """Return the groups that the service may be given: the web server's, and that of the tree's owner."""
    own = owner.gid if owner else 0
    return {each.gr_gid: each.gr_name for each in getgrall() if own == each.gr_gid != 0 or each.gr_name == WEB_GROUP}
