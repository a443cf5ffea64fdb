"""Copies between engines: nothing is lost, nothing is overwritten, and nobody writes meanwhile."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from ledger.examples import (
    ALICE,
    BOB,
    HOOK,
    INSTANCE,
    LEASE_OVER,
    NOW,
    accept,
    defer,
    facts,
    refuse,
    replan,
    take,
    update,
)
from ledger.places import postgres_place, query
from mastodon_update_check.domain.status import ALIVE
from mastodon_update_check.errors import LedgerError
from mastodon_update_check.ledger.copying import copy
from mastodon_update_check.ledger.engine import Place
from mastodon_update_check.ledger.ledger import Ledger
from mastodon_update_check.ledger.schema import TABLES
from mastodon_update_check.ledger.sqlite import FilePlace
from simulators.postgres import Postgres

LATER = NOW + 2 * ALIVE


@pytest.fixture
def target(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """Return where the copy is to be, on each engine in turn."""
    if request.param == "sqlite":
        yield FilePlace(tmp_path / "copy.sqlite3")
        return
    with postgres_place(request.getfixturevalue("postgres")) as place:
        yield place


both = pytest.mark.parametrize("target", ["sqlite", "postgresql"], indirect=True)


def fill(ledger: Ledger) -> None:
    """Let something happen of every kind."""
    replan(ledger, facts(update("4.5.1"), to=(ALICE, BOB, HOOK)))
    accept(ledger, take(ledger))
    refuse(ledger, take(ledger))
    defer(ledger, take(ledger, sink="webhook"), sink_wide=True)
    ledger.beat(INSTANCE, NOW, "node-1")


def contents(place: Place) -> dict[str, list[tuple[object, ...]]]:
    """Return every row of every table, what each schema says of itself aside."""
    rows = {table: query(place, f"SELECT * FROM {table}") for table in TABLES}  # noqa: S608 - our own names
    rows["meta"] = [row for row in rows["meta"] if row[0] == "salt"]
    return {table: sorted(found, key=repr) for table, found in rows.items()}


@both
def test_everything_is_copied(place: Place, ledger: Ledger, target: Place) -> None:
    """Rows, attempts, the sinks' accounts, and the salt: settings are recognised there."""
    fill(ledger)
    messages = copy(place, target, LATER)

    assert 3 == messages
    assert all(contents(place)[table] for table in TABLES if table != "turn")
    assert contents(place) == contents(target)
    with Ledger.open(target) as there:
        assert ledger.fingerprint("text") == there.fingerprint("text")
        assert () == replan(there, facts(update("4.5.1"), to=(ALICE, BOB, HOOK))).messages


@both
def test_a_copy_of_an_empty_ledger(place: Place, ledger: Ledger, target: Place) -> None:
    """The salt comes along all the same."""
    assert 0 == copy(place, target, NOW)
    with Ledger.open(target) as there:
        assert ledger.fingerprint("text") == there.fingerprint("text")


@both
def test_a_target_that_holds_something_is_refused(place: Place, ledger: Ledger, target: Place) -> None:
    """Two ledgers cannot become one; both are as they were."""
    fill(ledger)
    with Ledger.create(target) as there:
        there.beat("other.example", NOW)
    before = contents(place), contents(target)
    with pytest.raises(LedgerError, match=r"is not empty: name one that is, or a new one"):
        copy(place, target, LATER)

    assert before == (contents(place), contents(target))


@both
def test_a_ledger_in_use_is_refused(place: Place, ledger: Ledger, target: Place) -> None:
    """What the daemon writes afterwards would be missing in the copy."""
    fill(ledger)
    with pytest.raises(LedgerError, match=r"a daemon on node-1 works with the ledger .*: stop it first"):
        copy(place, target, NOW)
    ledger.leave(INSTANCE, "node-1")
    assert 3 == copy(place, target, NOW)


@both
def test_a_message_that_is_being_sent_is_waited_for(place: Place, ledger: Ledger, target: Place) -> None:
    """Its acceptance would be missing in the copy."""
    replan(ledger, facts(update("4.5.1")))
    take(ledger)
    with pytest.raises(LedgerError, match=r"a daemon works with the ledger"):
        copy(place, target, NOW)
    assert 1 == copy(place, target, NOW + LEASE_OVER)


@both
def test_a_source_that_is_missing(place: Place, target: Place) -> None:
    """Nothing is made in its place, nor where the copy would be."""
    with pytest.raises(LedgerError, match=r"is not there|there is no ledger in"):
        copy(place, target, NOW)

    assert (False, False) == (place.exists(), target.exists())


def test_a_ledger_is_not_copied_to_itself(place: Place, ledger: Ledger) -> None:
    """That would wait for itself."""
    fill(ledger)
    with pytest.raises(LedgerError, match="cannot be copied to itself"):
        copy(place, place, LATER)


def test_a_backup_can_be_copied_back(place: Place, ledger: Ledger, tmp_path: Path, postgres: Postgres) -> None:
    """It is a file of SQLite, whatever the ledger's engine is, and is made while somebody writes."""
    fill(ledger)
    backup = tmp_path / "backup.sqlite3"
    with ledger.writing():
        place.back_up(backup)
    with ExitStack() as stack:
        again = stack.enter_context(postgres_place(postgres))
        copy(FilePlace(backup), again, LATER)
        assert contents(place) == contents(again)

    assert [backup] == sorted(tmp_path.glob("backup*"))
    with pytest.raises(LedgerError, match="exists already: name a new file for the backup"):
        place.back_up(backup)


def test_a_ledger_that_is_set_aside_is_kept(place: Place, ledger: Ledger) -> None:
    """A new one knows nothing; the old one is where it is said to be."""
    fill(ledger)
    ledger.close()
    aside = place.set_aside(NOW)

    assert aside is not None
    assert "20261123" in aside
    assert not place.exists()
    place.create()
    assert [(0,)] == query(place, "SELECT count(*) FROM message")
