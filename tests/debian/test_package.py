"""The package ships the files that its documents link to, and its scripts clean up what `setup` has written."""

import re
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
