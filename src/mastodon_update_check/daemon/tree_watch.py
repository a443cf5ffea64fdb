"""Notice that Mastodon's tree was replaced, so that only a new process can see it.

Only a unit that binds the version file's directory keeps a tree that was replaced; elsewhere nothing is lost.
"""

import os
from pathlib import Path

from mastodon_update_check.domain.server.installed import has_lost_sight
from mastodon_update_check.domain.server.state import ServerState
from mastodon_update_check.files.foreign import is_missing
from mastodon_update_check.mastodon.tree import VERSION_FILE


def find_bound_tree(root: Path) -> str:
    """Return the tree at `root` if its version file is seen through a mount point; otherwise nothing."""
    file = root / VERSION_FILE
    return str(root) if os.path.ismount(file.parent) and not is_missing(file) else ""


def is_blind(bound_tree: str, root: Path, before: ServerState, known: ServerState) -> bool:
    """Whether only a new process can see the tree again, by the states before and after a check.

    `bound_tree` is what `find_bound_tree` returned when the daemon started.
    """
    return bound_tree == str(root) and (has_lost_sight(before, known) or is_missing(root / VERSION_FILE))
