"""The wheels of the Debian package: what `requirements/deb.txt` locks, for every Python that it serves."""

import subprocess
import sys
from pathlib import Path

PYTHONS = ("3.11", "3.12", "3.13", "3.14")
"""Debian 12, Ubuntu 24.04, Debian 13, Ubuntu 26.04. One more Python is one more compiled file; see `debian/control`."""
_PLATFORMS = {"amd64": "manylinux2014_x86_64", "arm64": "manylinux2014_aarch64"}
_PURE = "-none-any.whl"


def gather(project: Path, lock: Path, architecture: str, wheels: Path) -> list[Path]:
    """Put this project's wheel and all that it needs into `wheels`; return them in a fixed order.

    Args:
        project: the directory of `pyproject.toml`.
        lock: a list with hashes and without conditions: pip would judge those by the Python that runs it.
        architecture: as Debian names it.
        wheels: an empty directory.
    """
    _pip("wheel", "--no-build-isolation", "--require-hashes", "-r", lock, "-w", wheels)
    compiled = [wheel for wheel in wheels.iterdir() if not wheel.name.endswith(_PURE)]
    for wheel in compiled:
        wheel.unlink()  # fit for this machine, not for every machine of its architecture
    partial = wheels / "compiled.txt"
    partial.write_text(excerpt(lock.read_text(), {_distribution(wheel) for wheel in compiled}))
    for python in PYTHONS:
        platform = ("--only-binary", ":all:", "--platform", _PLATFORMS[architecture], "--python-version", python)
        _pip("download", "--require-hashes", *platform, "-r", partial, "-d", wheels)
    _pip("wheel", "--no-build-isolation", project, "-w", wheels)
    return sorted(wheels.glob("*.whl"))


def _distribution(wheel: Path) -> str:
    return wheel.name.partition("-")[0].replace("_", "-")


def excerpt(lock: str, distributions: set[str]) -> str:
    """Return the entries of a lock list that are about `distributions`."""
    lines, is_wanted = [], False
    for line in lock.splitlines():
        if line and not line.startswith((" ", "#")):
            is_wanted = line.partition("==")[0] in distributions
        if is_wanted:
            lines.append(line)
    return "\n".join(lines) + "\n"


def _pip(command: str, *arguments: str | Path) -> None:
    quiet = ("--disable-pip-version-check", "--quiet")
    subprocess.run([sys.executable, "-m", "pip", *quiet, command, "--no-deps", *map(str, arguments)], check=True)
