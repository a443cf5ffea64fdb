"""`python -m tools.deb ARCHITECTURE DIRECTORY`: make the tree of modules and the copyright file of the Debian package."""

import sys
import tempfile
from pathlib import Path

from tools.deb import notices, tree, wheels


def main(architecture: str, directory: Path) -> None:
    """Write `modules/` and `copyright` into `directory`."""
    project = Path(__file__).parents[2]
    with tempfile.TemporaryDirectory() as temporary:
        found = wheels.gather(project, project / "requirements" / "deb.txt", architecture, Path(temporary))
        distributions = [tree.Distribution(wheel) for wheel in found]
    tree.merge(distributions, directory / "modules")
    own = {each.name: each for each in distributions}.pop("mastodon-update-check")
    others = [each for each in distributions if each is not own]
    text = notices.copyright_file((project / "LICENSE").read_text(), others)
    (directory / "copyright").write_text(text)


main(sys.argv[1], Path(sys.argv[2]))
