"""Whether this process still sees Mastodon's tree, or one that has been replaced since it began."""

import os
from pathlib import Path

from mastodon_update_check.core.installed import has_lost_sight
from mastodon_update_check.core.knowledge import Knowledge
from mastodon_update_check.foreign import is_missing
from mastodon_update_check.mastodon.tree import VERSION_FILE


class Sight:
    """Judges by what the checks of this process find.

    Only a unit that binds the version's directory holds on to one that has been replaced; elsewhere nothing is lost.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._file = root / VERSION_FILE
        self._is_bound = os.path.ismount(self._file.parent) and not is_missing(self._file)
        self._first: Knowledge | None = None

    def of(self, root: Path) -> "Sight":
        """Return what judges after a reload: the same, which knows what this process saw first, for the same tree."""
        return self if root == self._root else Sight(root)

    def is_lost(self, known: Knowledge) -> bool:
        """Take in what a check found; say whether only a new process can see the tree again."""
        first = self._first
        # It has seen the tree change: that one it sees. Nothing can be compared before the server has answered: after a
        # boot, or when Mastodon is being restarted, it does not at first.
        if first is None or first.running is None or known.tree != first.tree:
            self._first = first = known
        return self._is_bound and (has_lost_sight(first, known) or is_missing(self._file))
