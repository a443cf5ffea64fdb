"""Signed apt repositories, as `make release` makes them, with keys made for this run."""

import os
import shutil
import subprocess
from pathlib import Path

from acceptance.documents import PROJECT
from acceptance.machine import Machine

SERVED = "srv/packages"
"""Served by nginx as https://packages.example.org."""


class Maintainer:
    """The holder of a signing key."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._environment = {**os.environ, "GNUPGHOME": str(directory / "gnupg")}
        self._environment["RELEASE_KEY"] = self._run("test-key").strip()

    def publish(self, machine: Machine, package: Path) -> None:
        """Replace the repository in a machine by one with this package."""
        made = self._directory / "repository"
        shutil.rmtree(made, ignore_errors=True)
        self._run("repository", made, package)
        served = machine.root / SERVED
        shutil.rmtree(served, ignore_errors=True)
        shutil.copytree(made, served)

    def _run(self, script: str, *arguments: Path) -> str:
        command = (PROJECT / "packaging" / script, *arguments)
        return subprocess.run(command, env=self._environment, check=True, stdout=subprocess.PIPE, text=True).stdout
