"""Every proof that docs/RELIABILITY.md names exists and runs."""

import re
from pathlib import Path

TESTS = Path(__file__).parent
TEXT = (TESTS.parent / "docs" / "RELIABILITY.md").read_text(encoding="utf-8")
NAMED = re.findall(r"`(\S+\.py)::(\w+)`", TEXT)


def find_test(file: str, name: str) -> re.Match[str] | None:
    """Find a test, a function or a class that is assigned, in a file under `tests`."""
    source = (TESTS / file).read_text(encoding="utf-8")
    return re.search(rf"^(def {name}\(|{name} = )", source, re.MULTILINE)


def test_every_test_that_is_named_exists() -> None:
    """A renamed test is renamed there, too."""
    assert len(NAMED) > 50
    assert [f"{file}::{name}" for file, name in NAMED if find_test(file, name) is None] == []


def test_every_fault_names_a_test() -> None:
    """Each line of the table names its proof."""
    table = TEXT.partition("## Faults")[2]
    lines = [line for line in table.splitlines() if line.startswith("| ") and not line.startswith(("| **", "| fault"))]
    assert len(lines) > 30
    assert [line for line in lines if not re.search(r"`\S+\.py::\w+`", line)] == []
