"""The migrations in Mastodon's tree, and when its files changed. Links within the tree are not followed."""

import os
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

from mastodon_update_check.mastodon.tree import VERSION_FILE, opened

MIGRATIONS_KEPT = 200
"""Of the pending ones: each row of a notice has them."""
NAMES_READ = 10_000
"""Of each directory; Mastodon has about 600 migrations."""
STREAMING_FILES = ("streaming/package.json", "streaming/index.js")
_DIRECTORIES = ("db/migrate", "db/post_migrate")
_NAME = re.compile(r"(?P<version>[0-9]{14})_[A-Za-z0-9_]{1,200}\.rb")


def list_migrations(root: Path) -> frozenset[str] | None:
    """Return the versions of the migrations in the tree at `root`; None when they cannot be seen."""
    found: set[str] = set()
    for directory in _DIRECTORIES:
        try:
            with opened(root, directory) as descriptor, os.scandir(f"/proc/self/fd/{descriptor}") as entries:
                names = [entry.name for entry in islice(entries, NAMES_READ + 1)]
        except FileNotFoundError:
            continue
        except OSError:
            return None
        if len(names) > NAMES_READ:
            return None
        found |= {match["version"] for name in names if (match := _NAME.fullmatch(name))}
    return frozenset(found) or None


def pending_migrations(root: Path, run: frozenset[str] | None) -> tuple[str, ...] | None:
    """Return the newest migrations of the tree that the database has not run, in order; None when that is unknown.

    A database that has run none of the tree's belongs to another tree.
    """
    listed = list_migrations(root) if run else None
    if run is None or listed is None or not listed & run:
        return None
    return tuple(sorted(listed - run)[-MIGRATIONS_KEPT:])


def tree_changed_at(root: Path) -> datetime | None:
    """Return when the version file changed, as at an upgrade; None when it cannot be seen."""
    return _changed_at(root, [VERSION_FILE])


def streaming_changed_at(root: Path) -> datetime | None:
    """Return when the files of streaming changed; git leaves them alone in upgrades that do not concern streaming."""
    return _changed_at(root, STREAMING_FILES) or tree_changed_at(root)


def _changed_at(root: Path, names: Iterable[str]) -> datetime | None:
    instants = []
    for name in names:
        try:
            with opened(root, name) as descriptor:
                instants.append(datetime.fromtimestamp(os.fstat(descriptor).st_mtime, UTC))
        except (OSError, ValueError, OverflowError):  # it is missing, or has a time that no calendar knows
            continue
    return max(instants, default=None)
