"""Files with a ledger in SQLite, whole and refused."""

from pathlib import Path

import pytest

from ledger.examples import INSTANCE, NOW, facts, update
from ledger.steps import replan
from mastodon_update_check.domain.server.state import ServerState
from mastodon_update_check.errors import LedgerError
from mastodon_update_check.ledger.ledger import Ledger
from mastodon_update_check.ledger.sqlite import SqliteLocation

RELEASE = update("4.5.1")


def make_ledger(path: Path) -> bytes:
    """Make a ledger that has planned something, and return its bytes."""
    with Ledger.create(SqliteLocation(path), INSTANCE) as ledger:
        replan(ledger, facts(RELEASE))
        with ledger.writing() as transaction:
            transaction.keep_state(ServerState(), NOW)
    return path.read_bytes()


def opening_error(path: Path) -> str:
    """Return why the ledger cannot be opened; the file must still be there."""
    before = path.read_bytes()
    with pytest.raises(LedgerError) as caught:
        Ledger.open(SqliteLocation(path), INSTANCE)
    assert before == path.read_bytes()
    assert str(path) in str(caught.value)
    return str(caught.value)
