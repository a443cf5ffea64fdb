"""Looking for Mastodon on this host: units of its web server, and the usual trees. Nothing of it is run.

A unit's directory or a usual place counts when it holds Mastodon's version file. All of it may be hostile, except
units, which belong to root.
"""

import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from grp import getgrall
from pathlib import Path
from typing import Final

from mastodon_update_check.config.dotenv import EnvFiles, read_rails_files
from mastodon_update_check.config.settings import MASTODON_FILES
from mastodon_update_check.config.variables import is_taken_from_mastodon
from mastodon_update_check.domain.text import clean
from mastodon_update_check.errors import SetupError
from mastodon_update_check.files import ForeignDirectory
from mastodon_update_check.host.machine import Machine
from mastodon_update_check.host.systemd import Properties, show
from mastodon_update_check.install.copying import values
from mastodon_update_check.mastodon.tree import SETTINGS_FILE, VERSION_FILE

_HIDDEN_ANYWAY: Final = tuple(map(Path, ("/home", "/media", "/mnt", "/opt", "/root", "/run/user", "/srv", "/var")))
"""The directories that the units hide in any case (`ProtectHome=`, `TemporaryFileSystem=`)."""
_NEVER_HIDDEN: Final = frozenset(map(Path, ("/", "/etc", "/lib", "/run", "/usr")))
"""The directories that the service needs itself."""
_NEEDED: Final = ("lib/mastodon", VERSION_FILE, "config", SETTINGS_FILE)
"""The sources of the version; the last two do not exist in every release."""
_WEB_GROUP: Final = "www-data"
_PLACES: Final = ("home/mastodon/live", "var/www/mastodon*/live")
_PATTERNS: Final = (
    "mastodon-web.service",  # by its name also where it is not loaded, because it is neither enabled nor running
    *(f"*[-_]{part}.service" for part in ("web", "puma", "web@*", "puma@*")),
)
_OTHERS, _GROUP = 0, 3
Mode = tuple[int, int]
"""The permissions and the group of a file or directory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """How the service can read the version in a tree that belongs to another user."""

    is_readable: bool
    group: str = ""
    """The group that it needs for that; empty when every user may read it."""
    hidden: tuple[Path, ...] = ()
    """Directories to hide, because others may not pass through them, or the service does not need them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """One Mastodon on this host."""

    root: Path
    unit: str
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
    groups = {
        group.gr_gid: group.gr_name
        for group in getgrall()
        if group.gr_name == _WEB_GROUP or (owner and owner.pw_gid == group.gr_gid != 0)
    }
    named = (Path(line.rpartition(" (")[0]) for line in unit.all("EnvironmentFiles"))
    return Installation(
        root=root,
        unit=unit.one("Id"),
        owner=owner.pw_name if owner else "",
        access=decide_access(_trees(machine, root), needed, groups),
        files=read_rails_files(root, machine.real(root), machine.root_uid),
        unit_environment={name: text for name, text in unit.variables.items() if is_taken_from_mastodon(name)},
        environment_files=tuple(path for path in named if path not in {root / name for name in MASTODON_FILES}),
    )


def decide_access(trees: Iterable[Path], needed: Iterable[Mode], groups: Mapping[int, str]) -> Access:
    """Return how the service can read the tree's version.

    `trees` are the tree by its path, and where that leads by a link. The service may be given `groups` and no others:
    the tree's owner could choose them.
    """
    hidden = tuple(dict.fromkeys(filter(None, map(_to_hide, trees))))
    locked = [one for one in needed if not _allows(one, _OTHERS)]
    if _NEVER_HIDDEN & set(hidden):
        return Access(is_readable=False)
    if not locked:
        return Access(is_readable=True, hidden=hidden)
    owners = {group for _, group in locked}
    group = groups.get(min(owners), "") if len(owners) == 1 else ""
    if not group or not all(_allows(one, _GROUP) for one in locked):
        return Access(is_readable=False, hidden=hidden)
    return Access(is_readable=True, group=group, hidden=hidden)


def _allows(one: Mode, shift: int) -> bool:
    """Return whether its group or others may read it and, if it is a directory, pass through."""
    wanted = (0o5 if stat.S_ISDIR(one[0]) else 0o4) << shift
    return one[0] & wanted == wanted


def _to_hide(tree: Path) -> Path | None:
    """Return the directory below `/` that leads to the tree, or the tree where the service needs that one.

    None if it is hidden anyway.
    """
    if any(tree.is_relative_to(directory) for directory in _HIDDEN_ANYWAY):
        return None
    top = Path(*tree.parts[:2])
    return tree if top in _NEVER_HIDDEN else top


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
    for unit in show(_PATTERNS, "Id,WorkingDirectory,Environment,EnvironmentFiles", machine.run):
        if unit.directory.startswith("/"):
            yield Path(os.path.normpath(unit.directory)), unit


def _modes(tree: ForeignDirectory) -> Iterator[Mode]:
    for name in _NEEDED:
        try:
            status = tree.status(name)
            yield status.st_mode, status.st_gid
        except FileNotFoundError:
            continue
        except OSError:  # a link, which the service does not follow
            yield stat.S_IFREG, -1


def _trees(machine: Machine, root: Path) -> list[Path]:
    """Return the tree, or when its path is a link, the place of the link and the tree that it leads to."""
    real = Path("/") / machine.real(root).resolve().relative_to(machine.prefix.resolve())
    return [real] if real == root else [root.parent, real]
