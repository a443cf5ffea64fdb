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
        self._file = root / VERSION_FILE
        self._is_bound = os.path.ismount(self._file.parent) and not is_missing(self._file)
        self._first: Knowledge | None = None

    def is_lost(self, known: Knowledge) -> bool:
        """Take in what a check found; say whether only a new process can see the tree again."""
        if self._first is None or known.tree != self._first.tree:  # it has seen the tree change: that one it sees
            self._first = known
        return self._is_bound and (has_lost_sight(self._first, known) or is_missing(self._file))
