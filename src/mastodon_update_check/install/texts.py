"""The texts that `setup` writes: a block of settings in our own file, and the file that it adds to a unit. Pure."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from mastodon_update_check.config.dotenv import parse
from mastodon_update_check.install.found import Access

_BEGIN: Final = "# --- written by mastodon-update-check setup; setup --undo removes it ---"
_END: Final = "# --- end of what setup has written ---"
_BLOCK: Final = re.compile(rf"\n?{re.escape(_BEGIN)}\n.*?(?:{re.escape(_END)}\n|\Z)", re.DOTALL)
PATH: Final = re.compile(r"/[A-Za-z0-9/._+@=,-]*")
"""A path that means in a unit, in a file of settings and for libpq what it says: no blanks, quotes, `%`, `:` or `$`."""
PLAIN: Final = re.compile(r"[A-Za-z0-9 ./:_@=,+<>-]*")
"""A value that means what it says between single quotes."""


def without_block(text: str) -> str:
    """Return our own file without what `setup` has written."""
    return _BLOCK.sub("", text)


def with_block(text: str, variables: Mapping[str, str]) -> str:
    """Return our own file with these variables, but those that the administrator sets in it."""
    others = without_block(text)
    own = own_names(text)
    lines = [f"{name}='{value}'" for name, value in variables.items() if name not in own]
    gap = "" if others.endswith("\n") or not others else "\n"
    return f"{others}{gap}\n{_BEGIN}\n" + "".join(f"{line}\n" for line in lines) + f"{_END}\n"


def own_names(text: str) -> frozenset[str]:
    """Return the variables that the administrator sets."""
    return frozenset(assignment.name for assignment in parse(without_block(text)).assignments)


def drop_in(root: Path, access: Access) -> str:
    """Return what a unit needs to see the tree's version, and nothing else of the tree."""
    lines = [
        "# Written by `mastodon-update-check setup`; `mastodon-update-check setup --undo` removes it.",
        "[Service]",
    ]
    lines += [f"TemporaryFileSystem={path}:ro" for path in access.hidden]
    if access.is_readable:
        lines.append(
            "# Directories, since `git checkout` replaces files; one that is missing keeps nothing from starting."
        )
        lines += [f"BindReadOnlyPaths=-{root}/{directory}" for directory in ("lib/mastodon", "config")]
    if access.group:
        lines += ["# Only this group may read the version.", f"SupplementaryGroups={access.group}"]
    return "\n".join(lines) + "\n"
