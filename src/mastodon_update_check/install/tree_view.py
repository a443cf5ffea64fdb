"""The directories of Mastodon's tree that the service sees, mounted where only root can change anything.

The unit binds them from there. Bound from the tree itself, systemd would follow the links of the tree's owner: one that
leads to itself keeps a unit from starting, and one to `/` shows the service the whole host.
"""

import os
from contextlib import suppress
from pathlib import Path
from typing import Final

from mastodon_update_check.files.foreign import ForeignDirectory
from mastodon_update_check.host.machine import Machine, Place

SHOWN_DIRECTORIES: Final = ("lib/mastodon", "config", "db/migrate", "db/post_migrate", "streaming")
"""The version, the names of the migrations, and the times of the files of streaming."""
_OPTIONS: Final = "nosuid,nodev,noexec"


def show_tree(machine: Machine, place: Place, root: Path) -> None:
    """Mount the directories of the tree at `root` read-only, without what is missing or is not a directory there."""
    hide_tree(machine, place)
    machine.require_own_directory(place.copies, 0o755, -1)
    machine.require_own_directory(place.tree.parent, 0o700, -1)
    machine.require_own_directory(place.tree, 0o755, -1)
    # Private: what is mounted here later changes nothing for a service that runs.
    base = ("mount", "--types=tmpfs", f"--options=mode=0755,size=64k,{_OPTIONS}", "--make-private", "tree")
    if not machine.run((*base, str(place.tree))).has_worked:
        return
    with suppress(OSError), ForeignDirectory(machine.real(root), machine.root_uid) as tree:
        for name in SHOWN_DIRECTORIES:
            with suppress(OSError):
                machine.require_own_directory((place.tree / name).parent, 0o755, -1)
                _mount(machine, tree.open(name), place.tree / name)


def hide_tree(machine: Machine, place: Place) -> None:
    """Take the directories away again, if they are there."""
    if place.tree.is_mount():
        machine.run(("umount", "--recursive", "--lazy", str(place.tree)))


def _mount(machine: Machine, descriptor: int, target: Path) -> None:
    """Mount the directory that was examined, even if its name leads to another one by now."""
    try:
        target.mkdir()
        source = f"/proc/self/fd/{descriptor}"
        machine.run(("mount", "--no-canonicalize", "--bind", source, str(target)), descriptors=(descriptor,))
        machine.run(("mount", f"--options=remount,bind,ro,{_OPTIONS}", str(target)))
    finally:
        os.close(descriptor)
