"""Commands as the documents give them to an administrator."""

import re
from pathlib import Path

PROJECT = Path(__file__).parents[2]


def blocks(section: str, document: str = "README.md") -> list[str]:
    """Return the blocks of shell in a section."""
    text = (PROJECT / document).read_text()
    (found,) = re.findall(rf"^## {re.escape(section)}$(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    return re.findall(r"^```sh$\n(.*?)^```$", found, re.MULTILINE | re.DOTALL)
