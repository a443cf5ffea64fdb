"""Copies between engines: nothing is lost or overwritten, and no process writes meanwhile."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from ledger.examples import ALICE, BOB, HOOK, INSTANCE, NOW, facts, update
from ledger.locations import owning, postgres_location, query
from ledger.steps import accept, defer, record_heartbeat, refuse, replan, take
from mastodon_update_check.domain.server.state import ServerState
from mastodon_update_check.errors import LedgerError
from mastodon_update_check.ledger.copying import back_up, copy
from mastodon_update_check.ledger.copying import owned as in_use
from mastodon_update_check.ledger.ledger import Ledger
from mastodon_update_check.ledger.location import Location
from mastodon_update_check.ledger.schema import TABLES
from mastodon_update_check.ledger.sqlite import SqliteLocation
from simulators.postgres import Postgres


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, path: Path) -> Iterator[Location]:
    """Return the location of a new ledger, on each engine in turn; it has no owner."""
    if request.param == "sqlite":
        yield SqliteLocation(path)
        return
    with postgres_location(request.getfixturevalue("postgres")) as location:
        yield location


@pytest.fixture
def target(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Location]:
    """Return where the copy is to be, on each engine in turn."""
    if request.param == "sqlite":
        yield SqliteLocation(tmp_path / "copy.sqlite3")
        return
    with postgres_location(request.getfixturevalue("postgres")) as place:
        yield place


both = pytest.mark.parametrize("target", ["sqlite", "postgresql"], indirect=True)


def fill(place: Location) -> None:
    """Let something of every kind happen, as the owner of the ledger."""
    place.create()
    with owning(place) as location, Ledger.open(location, INSTANCE) as ledger:
        replan(ledger, facts(update("4.5.1"), to=(ALICE, BOB, HOOK)))
        accept(ledger, take(ledger))
        refuse(ledger, take(ledger))
        defer(ledger, take(ledger, sink="webhook"), sink_wide=True)
        record_heartbeat(ledger, "node-1", NOW)
        with ledger.writing() as transaction:
            transaction.keep_state(ServerState(failures=1), NOW)


def contents(place: Location) -> dict[str, list[tuple[object, ...]]]:
    """Return every row of every table, without the schema's own."""
    rows = {table: query(place, f"SELECT * FROM {table}") for table in TABLES}  # noqa: S608 - our own names
    rows["meta"] = [row for row in rows["meta"] if row[0] == "salt"]
    return {table: sorted(found, key=repr) for table, found in rows.items()}


@both
def test_everything_is_copied(place: Location, ledger: Ledger, target: Location) -> None:
    """Rows, attempts, the sinks' accounts, and the salt: settings are recognised there."""
    fill(place)
    messages = copy(place, target)

    assert messages == 3
    if isinstance(place, SqliteLocation):
        known = {name for (name,) in query(place, "SELECT name FROM sqlite_schema WHERE type = 'table'")}
        assert known - {"sqlite_stat1", "owner", "request"} == set(TABLES)
    assert all(contents(place)[table] for table in TABLES)
    assert contents(place) == contents(target)
    with owning(target) as location, Ledger.open(location, INSTANCE) as there:
        assert ledger.fingerprint("text") == there.fingerprint("text")
        assert replan(there, facts(update("4.5.1"), to=(ALICE, BOB, HOOK))).messages == ()


@both
def test_a_target_that_holds_something_is_refused(place: Location, target: Location) -> None:
    """Two ledgers cannot become one; both are as they were."""
    fill(place)
    with Ledger.create(target, INSTANCE) as there:
        record_heartbeat(there, "node-2", NOW)
    before = contents(place), contents(target)
    with pytest.raises(LedgerError, match=r"is not empty: name one that is, or a new one"):
        copy(place, target)

    assert before == (contents(place), contents(target))


@both
def test_a_ledger_with_an_owner_is_refused(place: Location, target: Location) -> None:
    """The writes of the daemon after the copy would be missing in it."""
    fill(place)
    with in_use(place), pytest.raises(LedgerError, match=r"the ledger .* is in use by the daemon.*: stop it first"):
        copy(place, target)
    assert copy(place, target) == 3


@both
def test_a_source_that_is_missing(place: Location, target: Location) -> None:
    """Nothing is made in its place, nor where the copy would be."""
    with pytest.raises(LedgerError, match=r"is not there|there is no ledger in"):
        copy(place, target)

    assert (place.exists(), target.exists()) == (False, False)


def test_a_ledger_is_not_copied_to_itself(place: Location) -> None:
    """That would wait for itself."""
    fill(place)
    with pytest.raises(LedgerError, match="cannot be copied to itself"):
        copy(place, place)


def test_a_backup_can_be_copied_back(place: Location, tmp_path: Path, postgres: Postgres) -> None:
    """It is an SQLite file for either engine, and is made while another process writes."""
    fill(place)
    backup = tmp_path / "backup.sqlite3"
    with owning(place) as location, Ledger.open(location, INSTANCE) as writer, writer.writing():
        back_up(place, backup)
    with ExitStack() as stack:
        again = stack.enter_context(postgres_location(postgres))
        copy(SqliteLocation(backup), again)
        assert contents(place) == contents(again)

    assert sorted(tmp_path.glob("backup*")) == [backup, tmp_path / "backup.sqlite3.lock"]
    with pytest.raises(LedgerError, match="exists already: name a new file for the backup"):
        back_up(place, backup)


def test_a_ledger_that_is_set_aside_is_kept(place: Location, ledger: Ledger) -> None:
    """A new one knows nothing; the old one has the name that is returned."""
    fill(place)
    ledger.close()
    aside = place.set_aside(NOW)

    assert aside is not None
    assert "20261123" in str(aside)
    assert not place.exists()
    place.create()
    assert query(place, "SELECT count(*) FROM message") == [(0,)]
