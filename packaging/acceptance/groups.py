"""A control group of one's own in each hierarchy that a booted system uses; removed with what grew under it."""

import os
from pathlib import Path
from typing import Self

TOP = Path("/sys/fs/cgroup")


class ControlGroups:
    """Groups of this name below those in which this process is."""

    def __init__(self, name: str) -> None:
        self._folders = {hierarchy: folder / name for hierarchy, folder in _own_folders()}

    def __enter__(self) -> Self:
        self._remove()  # what a killed run left
        for folder in self._folders.values():
            folder.mkdir()
        return self

    def __exit__(self, *_: object) -> None:
        self._remove()

    def join(self) -> None:
        """Move the calling process there; for a child before it becomes another program."""
        for folder in self._folders.values():
            (folder / "cgroup.procs").write_text("0")

    def memory_peak(self, unit: str) -> int | None:
        """Return the most bytes that a unit inside has had at a time, if the kernel counts that here."""
        memory = self._folders.get("memory")
        found = [*memory.rglob(f"{unit}/memory.max_usage_in_bytes")] if memory else []
        return int(found[0].read_text()) if found else None

    def _remove(self) -> None:
        for folder in self._folders.values():
            for path, _, _ in os.walk(folder, topdown=False):
                Path(path).rmdir()


def _own_folders() -> list[tuple[str, Path]]:
    """Return systemd's hierarchies of version 1 and 2 and that for memory, as /proc/self/cgroup has them."""
    found = []
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        number, names, path = line.split(":", 2)
        mounted = {"0": TOP / "unified", "name=systemd": TOP / "systemd", "memory": TOP / "memory"}
        folder = mounted.get(number if number == "0" else names)
        if number == "0" and not (TOP / "unified").exists():
            folder = TOP
        if folder:
            found.append((names or "unified", folder / path.lstrip("/")))
    return found
