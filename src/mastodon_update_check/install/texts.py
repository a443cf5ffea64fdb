"""The texts that `setup` writes: a block of settings in our own file, and the files that it adds to units. Pure.

The block is also the record of what was set up: `setup --undo` finds there what to undo.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from mastodon_update_check.install.access import Access
from mastodon_update_check.install.copying import DATABASE, values_of
from mastodon_update_check.install.database import Server
from mastodon_update_check.install.tree_view import SHOWN_DIRECTORIES
from mastodon_update_check.mastodon.database_address import OWN_ROLE

_BEGIN: Final = "# --- written by mastodon-update-check setup; setup --undo removes it ---"
_END: Final = "# --- end of what setup has written ---"
_BLOCK: Final = re.compile(rf"\n?{re.escape(_BEGIN)}\n.*?(?:{re.escape(_END)}\n|\Z)", re.DOTALL)
_ROLE: Final = re.compile(
    rf"^#?{DATABASE}='host=(?P<directory>\S+) port=(?P<port>[0-9]+) dbname=(?P<name>\S+) user={OWN_ROLE}'$",
    re.MULTILINE,
)
_HEAD: Final = "# Written by `mastodon-update-check setup`; `mastodon-update-check setup --undo` removes it."
PATH: Final = re.compile(r"/[A-Za-z0-9/._+@=,-]*")
"""A path without characters that have a meaning in a unit, a file of settings or a shell."""
PLAIN: Final = re.compile(r"[A-Za-z0-9 ./:_@=,+<>-]*")
"""A value without characters that have a meaning between single quotes."""


def has_block(text: str) -> bool:
    """Return whether `setup` has written into our own file."""
    return _BLOCK.search(text) is not None


def without_block(text: str) -> str:
    """Return our own file without the lines that `setup` has written."""
    return _BLOCK.sub("", text)


def with_block(text: str, variables: Mapping[str, str], role: Server | None = None) -> str:
    """Return our own file with these variables, except those that the administrator sets in it.

    The server that has our role is recorded in a comment when its login is not among the variables.
    """
    others = without_block(text)
    own = own_values_of(text)
    lines = [f"{name}='{value}'" for name, value in variables.items() if name not in own]
    if role is not None and (DATABASE in own or DATABASE not in variables):
        lines.append(f"#{DATABASE}='{role.login}'")
    gap = "" if others.endswith("\n") or not others else "\n"
    return f"{others}{gap}\n{_BEGIN}\n" + "".join(f"{line}\n" for line in lines) + f"{_END}\n"


def find_role(text: str) -> Server | None:
    """Return the server in which `setup` has created our role, as the block in our own file says."""
    block = _BLOCK.search(text)
    found = _ROLE.search(block[0]) if block else None
    return Server(directory=found["directory"], port=int(found["port"]), name=found["name"]) if found else None


def own_values_of(text: str) -> Mapping[str, str]:
    """Return the variables that the administrator sets."""
    return values_of(without_block(text))


def service_drop_in(root: Path, shown: Path, access: Access) -> str:
    """Return what a unit needs to see the tree's version and migrations, which are mounted at `shown`, and no more."""
    lines = [_HEAD, "[Service]", *(f"TemporaryFileSystem={path}:ro" for path in access.hidden)]
    if access.is_readable:
        lines.append(
            "# `copy-settings` has mounted the tree's directories there without following links, as a bind would."
        )
        lines.append(f"BindReadOnlyPaths=-{shown}:{root}")
        lines.append("# Nothing in it can be executed or loaded as a library.")
        lines.append(f"NoExecPaths=-{root}")
        lines += [f"NoExecPaths=-{root}/{directory}" for directory in SHOWN_DIRECTORIES]
    if access.group:
        lines += ["# Only this group may read the version.", f"SupplementaryGroups={access.group}"]
    return "\n".join(lines) + "\n"


def path_drop_in(root: Path) -> str:
    """Return the path that the path unit watches, instead of its default."""
    return f"{_HEAD}\n[Path]\nPathChanged=\nPathChanged={root}\n"
