"""Shared fixtures of the tests of the jobs."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger.examples import SettableClock
from mastodon_update_check.ledger.ledger import Ledger
from mastodon_update_check.ledger.sqlite import SqliteLocation


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return where the ledger is."""
    return tmp_path / "ledger.sqlite3"


@pytest.fixture
def ledger(path: Path) -> Iterator[Ledger]:
    """Return a new ledger, which does not wait for other writers."""
    with Ledger.create(SqliteLocation(path), "social.example"):
        pass
    with Ledger.open(SqliteLocation(path, busy_seconds=0), "social.example") as ledger:
        yield ledger


@pytest.fixture
def clock() -> SettableClock:
    """Return a clock that stands still."""
    return SettableClock()
