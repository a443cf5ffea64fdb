"""Notice that Mastodon's tree was replaced, so that only a new process can see it."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

from mastodon_update_check.domain.server.installed import has_lost_sight
from mastodon_update_check.domain.server.state import ServerState
from mastodon_update_check.domain.versions import MastodonVersion
from mastodon_update_check.files.foreign import is_missing
from mastodon_update_check.mastodon.tree import VERSION_FILE


@dataclass(frozen=True, slots=True, kw_only=True)
class TreeWatch:
    """The observations of the tree by one daemon, which the supervisor passes from one child to the next.

    Only a unit that binds the version file's directory keeps a tree that was replaced; elsewhere nothing is lost.
    """

    root: str
    is_bound: bool
    """Whether the directory was a mount point, with a version file in it, when the daemon started."""
    tree: str = ""
    running: str = ""
    """The versions that were last seen; of the server, the last one that it answered."""
    has_lost: bool = False
    is_blind: bool = False
    """Whether only a new process can see the tree again."""

    @classmethod
    def begin(cls, root: Path) -> Self:
        """Return the observations at the start of a daemon."""
        file = root / VERSION_FILE
        return cls(root=str(root), is_bound=os.path.ismount(file.parent) and not is_missing(file))

    @classmethod
    def read(cls, seen: Mapping[str, Any] | None, root: Path) -> Self:
        """Return the observations of the job before."""
        return cls.begin(root) if seen is None or seen["root"] != str(root) else cls(**seen)

    def to_json(self) -> dict[str, object]:
        """Return it as the supervisor keeps it."""
        return {name: getattr(self, name) for name in self.__slots__}

    def see(self, known: ServerState, before: ServerState) -> Self:
        """Return the observations after a check; `before` is used in the first check of a daemon."""
        seen = (
            before
            if not self.tree and not self.running
            else replace(before, tree=_version(self.tree), running=_version(self.running))
        )
        has_lost = self.has_lost or has_lost_sight(seen, known)
        running = known.running or seen.running
        return replace(
            self,
            tree=str(known.tree or ""),
            running=str(running or ""),
            has_lost=has_lost,
            is_blind=self.is_bound and (has_lost or is_missing(Path(self.root) / VERSION_FILE)),
        )


def _version(text: str) -> MastodonVersion | None:
    return MastodonVersion.parse(text) if text else None
