"""The files that pip needs on a machine without a network, for its version of Python."""

import platform
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from packaging.requirements import Requirement

from acceptance.documents import PROJECT

NEWEST_GLIBC = 36
"""The minor version in Debian 12."""


def download(names: tuple[str, ...], python: str, directory: Path) -> None:
    """Put what the lock lists in `requirements/` name into `directory`, for a version of Python such as 3.13."""
    machine = platform.machine()
    tags = ("manylinux2014", *(f"manylinux_2_{minor}" for minor in range(17, NEWEST_GLIBC + 1)))
    platforms = [f"--platform={tag}_{machine}" for tag in tags]
    directory.mkdir(parents=True)
    for name in names:
        selected = directory / name
        text = (PROJECT / "requirements" / name).read_text()
        selected.write_text("\n".join(_select(text, {"python_version": python, "python_full_version": f"{python}.0"})))
        pip = (sys.executable, "-m", "pip", "download", "--quiet", "--require-hashes", "--no-deps")
        places = ("--no-build-isolation", "--dest", directory, "--requirement", selected)
        subprocess.run((*pip, f"--python-version={python}", *platforms, *places), check=True)


def _select(lock: str, environment: Mapping[str, str]) -> Iterator[str]:
    """Yield the entries that apply in an environment, without conditions: pip would judge those by its own Python."""
    is_wanted = False
    for line in lock.splitlines():
        if line and not line.startswith((" ", "#")):
            requirement = Requirement(line.rstrip(" \\"))
            is_wanted = requirement.marker is None or requirement.marker.evaluate(dict(environment))
            requirement.marker = None
            line = f"{requirement} \\"  # noqa: PLW2901 - the entry without its condition
        if is_wanted:
            yield line
