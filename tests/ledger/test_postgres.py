"""A ledger in PostgreSQL: what the server, the way to it, or a node does in the worst moment."""

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from ledger.examples import INSTANCE, NOW, facts, update
from ledger.locations import DATABASE, ROLE, owned, postgres_location, query, url
from ledger.steps import accept, find_attempt, record_heartbeat, replan, take
from mastodon_update_check.domain.server.state import ServerState
from mastodon_update_check.errors import LedgerError
from mastodon_update_check.ledger.copying import back_up, copy
from mastodon_update_check.ledger.ledger import Ledger
from mastodon_update_check.ledger.location import find_location
from mastodon_update_check.ledger.postgres_location import PostgresLocation
from mastodon_update_check.ledger.postgres_session import BOUNDS, PostgresBounds, PostgresSession, translate
from mastodon_update_check.ledger.sqlite import SqliteLocation
from simulators.postgres import Postgres
from simulators.postgres_front import Front, silence, silence_after_login
from simulators.silence import silent_port

RELEASE = update("4.5.1")
SHORT = replace(BOUNDS, total=timedelta(seconds=1), lock=timedelta(milliseconds=200))


@pytest.fixture
def place(postgres: Postgres) -> Iterator[PostgresLocation]:
    """Return where a ledger may be made."""
    with postgres_location(postgres) as location:
        yield owned(location)


@pytest.fixture
def absent(postgres: Postgres) -> Iterator[PostgresLocation]:
    """Return a location without a ledger."""
    with postgres_location(postgres) as location:
        yield location


def end_connections(postgres: Postgres) -> None:
    """Cut every connection to the database of ledgers, as a restart does."""
    cut = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{DATABASE}'"  # noqa: S608 - ours
    postgres.execute("postgres", cut)


def free(location: PostgresLocation) -> PostgresLocation:
    """Let the lease on a ledger run out."""
    query(location, "UPDATE owner SET until_at = ''")
    return replace(location, token="")


def write_around(ledger: Ledger, meanwhile: Callable[[], None]) -> None:
    """Let something happen in the middle of a transaction."""
    with ledger.writing() as transaction:
        transaction.keep_state(ServerState(failures=1), NOW)
        meanwhile()
        transaction.keep_state(ServerState(failures=2), NOW)


def test_nothing_is_made_by_opening(absent: PostgresLocation) -> None:
    """A ledger that is gone is not replaced by one that has forgotten everything."""
    with pytest.raises(
        LedgerError, match=r"there is no ledger in PostgreSQL at .*; restore a backup of it, or start a new one"
    ):
        Ledger.open(absent, INSTANCE)
    assert not absent.exists()


def test_a_role_that_may_make_no_schema(postgres: Postgres) -> None:
    """The error names the statement to run; after that it works."""
    with postgres_location(postgres) as place:  # also makes the database
        schema = place.schema
        role = f"guest_{schema}"
        postgres.execute(DATABASE, f"CREATE ROLE {role} LOGIN")
        guest = find_location(url(postgres, schema, role))
        order = f'as the owner of the database, run GRANT CREATE ON DATABASE {DATABASE} TO "{role}"'
        with pytest.raises(LedgerError, match=order):
            Ledger.create(guest, INSTANCE)
        postgres.execute(DATABASE, f"CREATE SCHEMA {schema} AUTHORIZATION {role}")
        Ledger.create(guest, INSTANCE).close()
        with pytest.raises(LedgerError, match=order):
            guest.set_aside(NOW)
        assert guest.exists()
        postgres.execute(DATABASE, f"DROP OWNED BY {role} CASCADE; DROP ROLE {role}")


def test_connection_is_replaced_after_a_restart(postgres: Postgres, place: PostgresLocation) -> None:
    """A restart of the server between transactions causes no error."""
    with Ledger.create(place, INSTANCE) as ledger:
        replan(ledger, facts(RELEASE))
        end_connections(postgres)
        attempt = take(ledger)
        end_connections(postgres)
        accept(ledger, attempt)
        end_connections(postgres)

        assert find_attempt(ledger) is None
        assert query(place, "SELECT state FROM message") == [("sent",)]


def test_a_connection_that_is_cut_in_the_middle(postgres: Postgres, place: PostgresLocation) -> None:
    """All of the transaction is undone, and said; the next one works."""
    with Ledger.create(place, INSTANCE) as ledger:
        replan(ledger, facts(RELEASE))
        with pytest.raises(LedgerError, match=r"terminating connection|cannot be reached any more"):
            write_around(ledger, lambda: end_connections(postgres))
        assert ledger.state() == ServerState()
        take(ledger)


def test_failover_to_a_restored_copy(postgres: Postgres, place: PostgresLocation) -> None:
    """Acceptances after the copy are repeated once, with the same id; nothing else is."""
    with Ledger.create(place, INSTANCE) as ledger:
        replan(ledger, facts(RELEASE))
        accept(ledger, take(ledger))
        replan(ledger, facts(RELEASE, update("4.5.2")))
        schema = place.schema
        copied = replace(place, schema=f"{schema}_copy")
        copy(free(place), copied)
    with Ledger.open(owned(place), INSTANCE) as ledger:
        lost = take(ledger)
        accept(ledger, lost)
    try:
        with Ledger.open(owned(copied), INSTANCE) as restored:
            again = take(restored)
            accept(restored, again)
            assert find_attempt(restored) is None
    finally:
        postgres.execute(DATABASE, f"DROP SCHEMA {schema}_copy CASCADE")

    assert (lost.message_id, lost.identities) == (again.message_id, again.identities)


def test_a_node_that_freezes_with_the_ledger_in_its_hands(place: PostgresLocation) -> None:
    """The server takes it away; the others work on, and the one that was frozen has written nothing."""
    frozen = replace(place, bounds=replace(BOUNDS, idle=timedelta(milliseconds=300)))
    Ledger.create(place, INSTANCE).close()
    with Ledger.open(place, INSTANCE) as other, Ledger.open(frozen, INSTANCE) as ledger:
        with pytest.raises(LedgerError, match="idle-in-transaction timeout"):
            write_around(ledger, lambda: record_heartbeat(other, "web2", NOW))
        assert other.state() == ServerState()
        assert [node.host for node in other.nodes(NOW)] == ["web2"]
        record_heartbeat(ledger, "web1", NOW)


def test_lock_that_is_not_released(postgres: Postgres, place: PostgresLocation) -> None:
    """The wait has an end, and a sentence."""
    Ledger.create(place, INSTANCE).close()
    with (
        Ledger.open(replace(place, bounds=SHORT), INSTANCE) as ledger,
        closing(postgres.connect(DATABASE, ROLE)) as holder,
    ):
        holder.execute(f"BEGIN; LOCK TABLE {place.schema}.node".encode())
        with pytest.raises(LedgerError, match="is locked by another process: try again, or end what holds it"):
            record_heartbeat(ledger, "web1", NOW)
        holder.execute("COMMIT")
        record_heartbeat(ledger, "web1", NOW)


@pytest.mark.parametrize("conversation", [silence, silence_after_login])
def test_a_server_that_says_nothing(conversation: object) -> None:
    """Neither the login nor a question waits for ever."""
    bounds = PostgresBounds(connect=timedelta(seconds=2), total=timedelta(seconds=1))
    with Front(conversation) as front:  # type: ignore[arg-type]
        text = f"postgresql://u@127.0.0.1:{front.port}/d?sslmode=disable"
        location = replace(PostgresLocation.parse(text, "UPDATE_CHECK_LEDGER"), bounds=bounds)
        began = time.monotonic()
        with pytest.raises(LedgerError, match="did not answer in time"):
            location.exists()
    assert time.monotonic() - began < 30  # and not for ever


def test_an_acknowledged_commit_is_on_the_disk(postgres: Postgres, place: PostgresLocation) -> None:
    """Also for a role that does not wait for the disk otherwise."""
    postgres.execute(DATABASE, f"ALTER ROLE {ROLE} SET synchronous_commit = off")
    try:
        Ledger.create(place, INSTANCE).close()
        with closing(place.open()) as session, session.recording() as connection:
            assert connection.execute("SHOW synchronous_commit").fetchone()["synchronous_commit"] == "on"
    finally:
        postgres.execute(DATABASE, f"ALTER ROLE {ROLE} RESET synchronous_commit")


def test_text_sorts_by_its_bytes(place: PostgresLocation) -> None:
    """Instants are compared as text, in any locale of the database."""
    Ledger.create(place, INSTANCE).close()
    found = query(
        place,
        "SELECT DISTINCT collation_name FROM information_schema.columns WHERE table_schema = ? AND data_type = 'text'",
        place.schema,
    )
    assert found == [("C",)]


def test_parameters_are_marked_as_psycopg_wants_them() -> None:
    """But not within strings and comments; and a sign that psycopg would take for one is doubled."""
    statement = "SELECT '?:a%', b -- :c?\n WHERE d = :d AND e = ? AND f LIKE 'g%'"

    assert translate(statement) == b"SELECT '?:a%%', b -- :c?\n WHERE d = %(d)s AND e = %s AND f LIKE 'g%%'"


def test_copies_and_backups_have_bounds_of_their_own(place: PostgresLocation, tmp_path: Path) -> None:
    """They read every row, which takes longer than a step of the daemon may."""
    with Ledger.create(place, INSTANCE) as ledger:
        replan(ledger, facts(RELEASE))
        accept(ledger, take(ledger))
    hasty = replace(place, bounds=replace(BOUNDS, total=timedelta(0), statement=timedelta(milliseconds=1)))
    with pytest.raises(LedgerError, match="did not answer in time"):
        Ledger.open(hasty, INSTANCE)
    back_up(hasty, tmp_path / "backup.sqlite3")
    assert copy(free(hasty), SqliteLocation(tmp_path / "copy.sqlite3")) == 1


def test_login_is_bounded_as_a_whole() -> None:
    """Eight addresses of two seconds each end after half a second together."""
    with silent_port() as port:
        hosts = ",".join(f"127.0.0.{number}:{port}" for number in range(1, 9))
        location = PostgresLocation.parse(f"postgresql://ledger@{hosts}/ledger", "UPDATE_CHECK_LEDGER")
        bounds = replace(BOUNDS, connect=timedelta(seconds=2), login=timedelta(seconds=0.5))
        session, began = PostgresSession(replace(location, bounds=bounds)), time.monotonic()
        with pytest.raises(LedgerError, match=r"took longer than 0\.5 s in all"), session.reading():
            pytest.fail("it was reached")
        assert time.monotonic() - began < 12
