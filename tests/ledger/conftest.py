"""Shared fixtures of the tests of the ledger."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger.examples import INSTANCE
from ledger.locations import owned, postgres_location
from mastodon_update_check.ledger.ledger import Ledger
from mastodon_update_check.ledger.location import Location
from mastodon_update_check.ledger.sqlite import SqliteLocation


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return where the file of a ledger is."""
    return tmp_path / "ledger.sqlite3"


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, path: Path) -> Iterator[Location]:
    """Return where a ledger is, on each engine in turn."""
    if request.param == "sqlite":
        yield SqliteLocation(path)
        return
    with postgres_location(request.getfixturevalue("postgres")) as location:
        yield owned(location)


@pytest.fixture
def ledger(place: Location) -> Iterator[Ledger]:
    """Return a new ledger."""
    with Ledger.create(place, INSTANCE) as ledger:
        yield ledger


@pytest.fixture
def other(ledger: Ledger, place: Location) -> Iterator[Ledger]:
    """Return another connection to the same ledger, as another process has it."""
    del ledger
    with Ledger.open(place, INSTANCE) as other:
        yield other
