"""What the tests of the ledger share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from mastodon_update_check.ledger.ledger import Ledger


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return where the ledger is."""
    return tmp_path / "ledger.sqlite3"


@pytest.fixture
def ledger(path: Path) -> Iterator[Ledger]:
    """Return a new ledger."""
    with Ledger.create(path) as ledger:
        yield ledger


@pytest.fixture
def other(ledger: Ledger, path: Path) -> Iterator[Ledger]:
    """Return another connection to the same ledger, as another process has it."""
    del ledger
    with Ledger.open(path) as other:
        yield other
