"""A newer version of the program, which has one more step for the ledger's tables."""

import shutil
from pathlib import Path

import mastodon_update_check

_STEP = """
MIGRATIONS += (
    (
        "ALTER TABLE message ADD COLUMN weight INTEGER NOT NULL DEFAULT 0",
        "CREATE TABLE novelty (name TEXT PRIMARY KEY) STRICT",
    ),
)
"""
_VERSION = "\nSCHEMA_VERSION = "
_SINCE = "\nCOMPATIBLE_SINCE = 1\n"


def write_newer(home: Path, *, is_compatible: bool) -> str:
    """Write it, as a copy of this one; return what `PYTHONPATH` must say to have it run.

    Older programs may go on with its tables, or not.
    """
    package = Path(mastodon_update_check.__file__).parent
    copy = home / "newer" / package.name
    shutil.copytree(package, copy, ignore=shutil.ignore_patterns("__pycache__"))
    schema = copy / "ledger" / "schema.py"
    source = schema.read_text()
    assert (1, 1) == (source.count(_VERSION), source.count(_SINCE))
    since = _SINCE if is_compatible else _SINCE.replace("1", "len(MIGRATIONS)")
    schema.write_text(source.replace(_VERSION, f"{_STEP}{_VERSION}").replace(_SINCE, since))
    return str(copy.parent)
