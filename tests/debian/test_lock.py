"""The Debian package has the same dependencies as other installations."""

import re
import tomllib
from pathlib import Path

PROJECT = Path(__file__).parents[2]


def pins(name: str) -> dict[str, str]:
    """Return the versions in a lock list."""
    text = (PROJECT / "requirements" / name).read_text()
    return dict(re.findall(r"^([a-z0-9.-]+)==(\S+)(?: ;.*)? \\$", text, re.MULTILINE))


def test_every_dependency() -> None:
    """Everything that the program needs is in the list, in the tested versions; libpq is the system's."""
    declared = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]["dependencies"]
    wanted = {re.split(r"[<>=\[]", each)[0].lower() for each in declared}
    locked = pins("deb.txt")
    assert wanted <= locked.keys(), "run `make lock`"
    assert locked.items() <= pins("run.txt").items()
    assert "psycopg-binary" not in locked


def test_no_conditions() -> None:
    """No entry depends on the Python that builds the package: it serves several."""
    assert ";" not in (PROJECT / "requirements" / "deb.txt").read_text()
