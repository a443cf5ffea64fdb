"""The Debian package: what it ships, what its scripts clean up, and the versions that it is built from."""

import re
import tomllib
from pathlib import Path

from mastodon_update_check.host.machine import Place

PROJECT = Path(__file__).parents[2]
DEBIAN = PROJECT / "packaging" / "debian"


def test_documents_that_readme_links_to() -> None:
    """Every relative link of README leads to an installed file."""
    links = re.findall(r"\]\((?!https?://|#)([^)#]+)", (PROJECT / "README.md").read_text())
    (line,) = [line for line in (DEBIAN / "install").read_text().splitlines() if line.startswith("README.md")]
    shipped = line.split()[:-1]
    assert links
    # The changelog and the licence have places of their own in Debian's packages.
    missing = {link for link in links if link not in shipped and link.partition("/")[0] not in shipped}
    assert missing <= {"CHANGELOG.md", "LICENSE", "CONTRIBUTING.md", "SECURITY.md"}
    assert "dh_compress --exclude=.md" in (DEBIAN / "rules").read_text()


def test_purge_removes_every_drop_in_of_setup() -> None:
    """The patterns of the purge match every file that `setup` adds to a unit."""
    script = (DEBIAN / "postrm").read_text()
    (pattern,) = re.findall(r"-path '\*(/mastodon-update-check\*\.d/50-setup\.conf)'", script)
    for place in (Place.of(), Place.of("second")):
        for unit in filter(None, (place.unit, place.once_unit, place.path_unit)):
            assert place.drop_in(unit).match(f"*{pattern}")


def test_hint_after_a_purge_needs_no_package() -> None:
    """The way to remove the role works without this program."""
    said = (DEBIAN / "postrm").read_text().partition("<<'END'")[2].partition("\nEND")[0]
    assert "DROP ROLE _mastodon_update_check" in said
    assert "install" not in said
    assert "setup --undo" not in said


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
