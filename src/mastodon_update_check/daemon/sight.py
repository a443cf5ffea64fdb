"""Whether this process still sees Mastodon's tree, or one that has been replaced since it began."""

import os
from dataclasses import replace
from pathlib import Path

from mastodon_update_check.domain.installed import has_lost_sight
from mastodon_update_check.domain.server_state import ServerState
from mastodon_update_check.files.foreign import is_missing
from mastodon_update_check.mastodon.tree import VERSION_FILE


class Sight:
    """Judges by what the checks of this process find.

    Only a unit that binds the version's directory holds on to one that has been replaced; elsewhere nothing is lost.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._file = root / VERSION_FILE
        self._is_bound = os.path.ismount(self._file.parent) and not is_missing(self._file)
        self._seen: ServerState | None = None
        self._has_lost = False

    def of(self, root: Path) -> "Sight":
        """Return what judges after a reload: the same, which knows what this process has seen, for the same tree."""
        return self if root == self._root else Sight(root)

    def is_lost(self, known: ServerState, before: ServerState) -> bool:
        """Take in what a check found; say whether only a new process can see the tree again.

        Args:
            known: what is known after this check.
            before: what was known before the first check of this process, from another one.
        """
        seen = self._seen or before
        self._has_lost |= has_lost_sight(seen, known)
        # After a boot, or while Mastodon is restarted, the server does not answer: what it said last counts.
        self._seen = replace(known, running=known.running or seen.running)
        return self._is_bound and (self._has_lost or is_missing(self._file))
