"""What the tests of the ledger share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger.places import postgres_place
from mastodon_update_check.ledger.engine import Place
from mastodon_update_check.ledger.ledger import Ledger
from mastodon_update_check.ledger.sqlite import FilePlace


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return where the file of a ledger is."""
    return tmp_path / "ledger.sqlite3"


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, path: Path) -> Iterator[Place]:
    """Return where a ledger is, on each engine in turn."""
    if request.param == "sqlite":
        yield FilePlace(path)
        return
    with postgres_place(request.getfixturevalue("postgres")) as place:
        yield place


@pytest.fixture
def ledger(place: Place) -> Iterator[Ledger]:
    """Return a new ledger."""
    with Ledger.create(place) as ledger:
        yield ledger


@pytest.fixture
def other(ledger: Ledger, place: Place) -> Iterator[Ledger]:
    """Return another connection to the same ledger, as another process has it."""
    del ledger
    with Ledger.open(place) as other:
        yield other
