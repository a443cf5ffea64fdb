"""How the service can read the version in a tree that belongs to another user. Pure: modes in, a decision out."""

import stat
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

HIDDEN_ANYWAY: Final = tuple(map(Path, ("/home", "/media", "/mnt", "/opt", "/root", "/run/user", "/srv", "/var")))
"""The directories that the units hide in any case (`ProtectHome=`, `TemporaryFileSystem=`)."""
NEVER_HIDDEN: Final = frozenset(map(Path, ("/", "/etc", "/lib", "/run", "/usr")))
"""The directories that the service needs itself."""
_OTHERS: Final = 0
_GROUP: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """How the service can read the tree's version."""

    is_readable: bool
    group: str = ""
    """The group that it needs for that; empty when every user may read it."""
    hidden: tuple[Path, ...] = ()
    """Directories to hide, because others may not pass through them, or the service does not need them."""


Mode = tuple[int, int]
"""The permissions and the group of a file or directory."""


def decide_access(trees: Iterable[Path], needed: Iterable[Mode], groups: Mapping[int, str]) -> Access:
    """Return how the service can read the tree's version.

    `trees` are the tree by its path, and where that leads by a link. The service may be given `groups` and no others:
    the tree's owner could choose them.
    """
    hidden = tuple(dict.fromkeys(filter(None, map(_to_hide, trees))))
    locked = [one for one in needed if not _allows(one, _OTHERS)]
    if NEVER_HIDDEN & set(hidden):
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
    if any(tree.is_relative_to(directory) for directory in HIDDEN_ANYWAY):
        return None
    top = Path(*tree.parts[:2])
    return tree if top in NEVER_HIDDEN else top
