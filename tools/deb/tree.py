"""One tree of modules from many wheels: compiled files carry their Python's name, everything else is the same."""

import sys
import zipfile
from collections.abc import Iterable
from email.parser import HeaderParser
from pathlib import Path, PurePosixPath

AUTHORITIES = PurePosixPath("certifi/cacert.pem")
"""certifi's own certificate authorities. They are not used here, and an old list must not be."""
SYSTEM_AUTHORITIES = "/etc/ssl/certs/ca-certificates.crt"

_KEPT_OF_METADATA = ("METADATA", "entry_points.txt")
_NOT_AT_RUN_TIME = (".pyi", ".pyx", ".pxd", ".c", ".typed")


class Distribution:
    """What a wheel says about itself."""

    def __init__(self, wheel: Path) -> None:
        with zipfile.ZipFile(wheel) as archive:
            self.files = {PurePosixPath(name): archive.read(name) for name in archive.namelist() if name[-1] != "/"}
        self.directory = next(path.parent for path in self.files if path.match("*.dist-info/METADATA"))
        self.metadata = HeaderParser().parsestr(self.files[self.directory / "METADATA"].decode())

    @property
    def name(self) -> str:
        """As its authors write it."""
        return str(self.metadata["Name"])

    @property
    def version(self) -> str:
        """Its version."""
        return str(self.metadata["Version"])

    def texts_below(self, *directories: str) -> dict[str, str]:
        """Return the files in these directories of its metadata, or named like them, by their names."""
        return {
            path.name: data.decode()
            for path, data in sorted(self.files.items())
            if path.is_relative_to(self.directory)
            and path.relative_to(self.directory).parts[0].lower().startswith(directories)
        }


def merge(distributions: Iterable[Distribution], target: Path) -> None:
    """Write what the program needs at run time into `target`.

    Raises:
        ValueError: two wheels hold different files of one name, or a module is called like one of Python's own.
    """
    written: dict[PurePosixPath, bytes] = {}
    for distribution in distributions:
        for path, data in _needed(distribution).items():
            # Wheels of one distribution for several Pythons differ in what they say about themselves.
            is_about_itself = path.is_relative_to(distribution.directory)
            if written.setdefault(path, data) != data and not is_about_itself:
                raise ValueError(f"{distribution.name} has another {path} than a wheel before it")
    shadows = {path.parts[0].removesuffix(".py") for path in written} & sys.stdlib_module_names
    if shadows:
        raise ValueError(f"called like modules of Python: {', '.join(sorted(shadows))}")
    for path, data in written.items():
        file = target / path
        file.parent.mkdir(parents=True, exist_ok=True)
        if path == AUTHORITIES:
            file.symlink_to(SYSTEM_AUTHORITIES)
        else:
            file.write_bytes(data)


def _needed(distribution: Distribution) -> dict[PurePosixPath, bytes]:
    """Return what is of use at run time: no scripts, tests, type stubs, licences (see `notices`) or descriptions."""
    needed = {}
    for path, data in distribution.files.items():
        top = path.parts[0]
        if top.endswith(".dist-info"):
            # Who looks for what is known to be wrong with a compiled file finds its parts in `sboms`.
            if path.name in _KEPT_OF_METADATA or "sboms" in path.parts:
                needed[path] = _header(data) if path.name == "METADATA" else data
        elif not (top.endswith(".data") or "tests" in path.parts or path.suffix in _NOT_AT_RUN_TIME):
            needed[path] = data
    return needed


def _header(metadata: bytes) -> bytes:
    return metadata.replace(b"\r\n", b"\n").partition(b"\n\n")[0] + b"\n"
