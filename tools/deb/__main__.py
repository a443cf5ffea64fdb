"""`python -m tools.deb ARCHITECTURE DIRECTORY`: modules and copyright file of the package."""

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
    others = [each for each in distributions if each.name != "mastodon-update-check"]
    text = notices.copyright_file((project / "LICENSE").read_text(), others)
    (directory / "copyright").write_text(text)


main(sys.argv[1], Path(sys.argv[2]))
