"""A ledger in PostgreSQL: what the server, the way to it, or a node does in the worst moment."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from ledger.examples import ALICE, INSTANCE, LEASE_OVER, NOW, accept, defer, facts, find_claim, replan, take, update
from ledger.places import DATABASE, ROLE, postgres_place, query, url
from ledger.programs import open_at_once
from mastodon_update_check.domain.outbox import LEASE, LEASE_RENEWAL
from mastodon_update_check.errors import LedgerError, SettingsError
from mastodon_update_check.ledger.copying import copy
from mastodon_update_check.ledger.ledger import Ledger
from mastodon_update_check.ledger.place import find_place
from mastodon_update_check.ledger.postgres import BOUNDS, PostgresBounds, translate
from mastodon_update_check.ledger.postgres_address import PostgresAddress
from mastodon_update_check.ledger.postgres_failures import translated
from mastodon_update_check.ledger.postgres_place import PostgresPlace
from mastodon_update_check.ledger.schema import SCHEMA_VERSION
from mastodon_update_check.ledger.sqlite import FilePlace
from simulators.http_server import unused_port
from simulators.postgres import Postgres
from simulators.postgres_front import Front, silence, silence_after_login

RELEASE = update("4.5.1")
SHORT = replace(BOUNDS, total=timedelta(seconds=1), lock=timedelta(milliseconds=200))


@pytest.fixture
def place(postgres: Postgres) -> Iterator[PostgresPlace]:
    """Return where a ledger may be made."""
    with postgres_place(postgres) as place:
        yield place


def end_connections(postgres: Postgres) -> None:
    """Cut every connection to the database of ledgers, as a restart does."""
    cut = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{DATABASE}'"  # noqa: S608 - ours
    postgres.execute("postgres", cut)


def write_around(ledger: Ledger, meanwhile: Callable[[], None]) -> None:
    """Let something happen in the middle of a transaction."""
    with ledger.writing() as book:
        book.keep_knowledge(INSTANCE, book.knowledge(INSTANCE), NOW)
        meanwhile()
        book.keep_knowledge("third.example", book.knowledge(INSTANCE), NOW)


def test_made_by_several_processes_at_once(postgres: Postgres, place: PostgresPlace) -> None:
    """All of them end up with the same ledger: its salt is the same for each."""
    prints = open_at_once(url(postgres, place.address.schema))

    assert 1 == len(set(prints))
    assert "\n" == prints[0][16:]


def test_nothing_is_made_by_opening(place: PostgresPlace) -> None:
    """A ledger that is gone is not replaced by one that has forgotten everything."""
    with pytest.raises(
        LedgerError, match=r"there is no ledger in PostgreSQL at .*; restore a backup of it, or begin anew"
    ):
        Ledger.open(place)
    assert not place.exists()


def test_a_role_that_may_make_no_schema(postgres: Postgres) -> None:
    """It is told what to ask for; when that is done, it works."""
    with postgres_place(postgres) as place:  # also makes the database
        schema = place.address.schema
        login = f"CREATE ROLE guest_{schema} LOGIN"
        postgres.execute(DATABASE, login)
        guest = find_place(url(postgres, schema, f"guest_{schema}"))
        order = f'CREATE SCHEMA {schema} AUTHORIZATION "guest_{schema}"'
        with pytest.raises(LedgerError, match=f"as the owner of the database, run {order}"):
            Ledger.create(guest)
        postgres.execute(DATABASE, order)
        Ledger.create(guest).close()
        with pytest.raises(LedgerError, match=f"run ALTER SCHEMA {schema} RENAME TO {schema}_.*_old; {order}"):
            guest.set_aside(NOW)
        assert guest.exists()
        postgres.execute(DATABASE, f"DROP SCHEMA {schema} CASCADE; DROP ROLE guest_{schema}")


def test_a_newer_ledger_is_refused(place: PostgresPlace) -> None:
    """Unless it says that programs as old as this one may go on with it: one node is upgraded after the other."""
    with Ledger.create(place) as ledger:
        query(place, "UPDATE meta SET value = '99' WHERE key = 'schema'")
        with pytest.raises(
            LedgerError, match=f"newer version of this program .schema 99, this one knows {SCHEMA_VERSION}"
        ):
            Ledger.open(place)
        with pytest.raises(LedgerError, match="newer version of this program"):  # by who has it open, too
            ledger.beat(INSTANCE, NOW)
        word = f'{{"schema": 99, "since": {SCHEMA_VERSION}}}'
        query(place, "UPDATE meta SET value = ? WHERE key = 'compatibility'", word)
        Ledger.open(place).close()
        ledger.beat(INSTANCE, NOW)


def test_an_older_ledger_is_brought_up_to_date(place: PostgresPlace) -> None:
    """By whoever opens it first; what was in it stays, and a node that had it open works on."""
    with Ledger.create(place) as ledger:
        replan(ledger, facts(RELEASE))
        query(place, "DROP TABLE node, turn")
        query(place, "UPDATE meta SET value = '1' WHERE key = 'schema'")
        Ledger.open(place).close()
        ledger.beat(INSTANCE, NOW, "node-1")

        assert ALICE == take(ledger).recipient
        assert [(str(SCHEMA_VERSION),)] == query(place, "SELECT value FROM meta WHERE key = 'schema'")


def test_a_connection_that_was_cut_is_made_anew(postgres: Postgres, place: PostgresPlace) -> None:
    """Nobody notices a server that was restarted while nothing was under way."""
    with Ledger.create(place) as ledger:
        replan(ledger, facts(RELEASE))
        end_connections(postgres)
        claim = take(ledger)
        end_connections(postgres)
        accept(ledger, claim)
        end_connections(postgres)

        assert find_claim(ledger) is None
        assert [("sent",)] == query(place, "SELECT state FROM message")


def test_a_connection_that_is_cut_in_the_middle(postgres: Postgres, place: PostgresPlace) -> None:
    """All of the transaction is undone, and said; the next one works."""
    with Ledger.create(place) as ledger:
        replan(ledger, facts(RELEASE))
        with pytest.raises(LedgerError, match=r"is starting or stopping|cannot be reached any more"):
            write_around(ledger, lambda: end_connections(postgres))
        assert () == ledger.instances()
        take(ledger)


def test_failover_to_a_restored_copy(postgres: Postgres, place: PostgresPlace) -> None:
    """What was accepted after the copy was made is sent once more, with the same id; nothing else is."""
    with Ledger.create(place) as ledger:
        replan(ledger, facts(RELEASE))
        accept(ledger, take(ledger))
        replan(ledger, facts(RELEASE, update("4.5.2")))
        schema = place.address.schema
        copied = replace(place, address=replace(place.address, schema=f"{schema}_copy"))
        copy(place, copied, NOW)
        lost = take(ledger)
        accept(ledger, lost)
    try:
        with Ledger.open(copied) as restored:
            again = take(restored)
            accept(restored, again)
            assert find_claim(restored) is None
    finally:
        postgres.execute(DATABASE, f"DROP SCHEMA {schema}_copy CASCADE")

    assert (lost.message_id, lost.identities) == (again.message_id, again.identities)


def test_a_node_that_freezes_with_the_ledger_in_its_hands(place: PostgresPlace) -> None:
    """The server takes it away; the others work on, and the one that was frozen has written nothing."""
    frozen = replace(place, bounds=replace(BOUNDS, idle=timedelta(milliseconds=300)))
    Ledger.create(place).close()
    with Ledger.open(place) as other, Ledger.open(frozen) as ledger:
        with pytest.raises(LedgerError, match="stood still in the middle of a transaction"):
            write_around(ledger, lambda: other.beat("other.example", NOW))
        assert ("other.example",) == other.instances()
        ledger.beat(INSTANCE, NOW)


def test_a_lock_that_somebody_keeps(postgres: Postgres, place: PostgresPlace) -> None:
    """The wait has an end, and a sentence."""
    Ledger.create(place).close()
    with Ledger.open(replace(place, bounds=SHORT)) as ledger, closing(postgres.connect(DATABASE, ROLE)) as holder:
        holder.execute(f"BEGIN; LOCK TABLE {place.address.schema}.instance".encode())
        with pytest.raises(LedgerError, match="is locked by another process: try again, or end what holds it"):
            ledger.beat(INSTANCE, NOW)
        holder.execute("COMMIT")
        ledger.beat(INSTANCE, NOW)


@pytest.mark.parametrize("conversation", [silence, silence_after_login])
def test_a_server_that_says_nothing(conversation: object) -> None:
    """Neither the login nor a question waits for ever."""
    bounds = PostgresBounds(connect=timedelta(seconds=2), total=timedelta(seconds=1))
    with Front(conversation) as front:  # type: ignore[arg-type]
        address = PostgresAddress.parse(
            f"postgresql://u@127.0.0.1:{front.port}/d?sslmode=disable", "UPDATE_CHECK_LEDGER"
        )
        began = time.monotonic()
        with pytest.raises(LedgerError, match="did not answer in time"):
            PostgresPlace(address, bounds).exists()
    assert time.monotonic() - began < 30  # and not for ever


def test_a_server_that_is_not_there() -> None:
    """Said with the variable to look at, and without the password."""
    port = unused_port()
    place = find_place(f"postgresql://u:s3cret@127.0.0.1:{port}/d")
    with pytest.raises(LedgerError) as caught:
        place.exists()

    expected = f"PostgreSQL at 127.0.0.1:{port} refuses the connection: is it running? Check UPDATE_CHECK_LEDGER"
    assert f"the ledger cannot be used: {expected}" == str(caught.value)
    assert "s3cret" not in f"{caught.value!r} {place!r} {place}"


WRONG: list[tuple[str, str]] = [
    ("postgresql://u:s3cr/et@h/d", "has a password whose special characters must be escaped"),
    ("postgresql://u:s3cr?et@h/d", "not a connection string|must be escaped|cannot be read"),
    ("postgresql://u@h/d?colour=s3cret", "is not a connection string that PostgreSQL's libpq can read"),
    ("postgresql://u@h/d?s3cret", "has a query .* that cannot be read"),
    ("postgresql://u@h/d?schema=S3cret", "names a schema that is none"),
    ("postgresql://u@h/d?schema=pg_x", "names a schema that is none"),
    ("postgresql://u@h/d?schema=", "names a schema that is none"),
]


@pytest.mark.parametrize(("text", "words"), WRONG)
def test_urls_that_cannot_be_read(text: str, words: str) -> None:
    """Nothing of them is repeated: any piece may be the password."""
    with pytest.raises(SettingsError, match=f"^UPDATE_CHECK_LEDGER {words}") as caught:
        find_place(text)

    assert "s3cr" not in str(caught.value).lower()


def test_a_node_that_freezes_lets_others_record_in_time(place: PostgresPlace) -> None:
    """They wait for it for less than a lease, within which they have to record what was accepted."""
    Ledger.create(place).close()
    with (
        closing(place.open()) as session,
        Ledger.open(place) as other,
        pytest.raises(LedgerError, match="stood still in the middle of a transaction"),
        session.working(),
    ):
        other.hurry(INSTANCE, (), (), NOW, is_started=False)  # it waits to be alone, until the server has had enough
    assert BOUNDS.idle < LEASE - LEASE_RENEWAL
    assert BOUNDS.idle < BOUNDS.lock  # so that their waiting for a lock is not in vain


def test_clocks_that_differ(place: PostgresPlace) -> None:
    """Leases go by the server's clock: a node whose clock is ahead takes nothing away from one that is at work."""
    ahead = replace(place, clock=lambda: datetime.now(UTC) + timedelta(hours=1))
    with Ledger.create(place) as ledger, Ledger.open(ahead) as other:
        now = datetime.now(UTC)
        replan(ledger, facts(RELEASE, now=now))
        claim = take(ledger, now)

        assert find_claim(other, now + timedelta(hours=1)) is None
        accept(ledger, claim, now)


def test_an_acknowledged_commit_is_on_the_disk(postgres: Postgres, place: PostgresPlace) -> None:
    """Also for a role that does not wait for the disk otherwise."""
    postgres.execute(DATABASE, f"ALTER ROLE {ROLE} SET synchronous_commit = off")
    try:
        Ledger.create(place).close()
        with closing(place.open()) as session, session.working() as connection:
            assert "on" == connection.execute("SHOW synchronous_commit").fetchone()["synchronous_commit"]
    finally:
        postgres.execute(DATABASE, f"ALTER ROLE {ROLE} RESET synchronous_commit")


def test_text_sorts_by_its_bytes(place: PostgresPlace) -> None:
    """Instants are compared as text, whatever language the database was made for."""
    Ledger.create(place).close()
    found = query(
        place,
        "SELECT DISTINCT collation_name FROM information_schema.columns WHERE table_schema = ? AND data_type = 'text'",
        place.address.schema,
    )
    assert [("C",)] == found


CODES = [
    ("25006", "can only be read, as on a standby: name the primary"),
    ("40P01", "has two processes in each other's way"),
    ("53100", "the server's disk is full; nothing is sent until there is room"),
    ("XX001", r"is damaged \(.*\); restore a backup"),
    ("42P01", r"is gone \(.*\); restore a backup"),
    ("22P05", "must be made with the encoding UTF8"),
    ("22023", r"cannot be used \(22023: .*\)"),
]


@pytest.mark.parametrize(("code", "words"), CODES)
def test_every_error_is_a_sentence(code: str, words: str) -> None:
    """Codes that are known become advice; others are passed on with the server's words."""
    address = PostgresAddress.parse("postgresql://u@h/d", "UPDATE_CHECK_LEDGER")
    error = psycopg.errors.lookup(code)("words")
    where = r"the ledger in PostgreSQL at h:5432 \(schema mastodon_update_check_ledger of the database d\)"
    with pytest.raises(LedgerError, match=f"{where}.*{words}"), translated(address):
        raise error


def test_parameters_are_marked_as_psycopg_wants_them() -> None:
    """But not within strings and comments; and a sign that psycopg would take for one is doubled."""
    statement = "SELECT '?:a%', b -- :c?\n WHERE d = :d AND e = ? AND f LIKE 'g%'"

    assert b"SELECT '?:a%%', b -- :c?\n WHERE d = %(d)s AND e = %s AND f LIKE 'g%%'" == translate(statement)


def test_copies_and_backups_have_bounds_of_their_own(place: PostgresPlace, tmp_path: Path) -> None:
    """They go through all that was ever told, which takes longer than any step of a daemon may."""
    with Ledger.create(place) as ledger:
        replan(ledger, facts(RELEASE))
        accept(ledger, take(ledger))
    hasty = replace(place, bounds=replace(BOUNDS, total=timedelta(0), statement=timedelta(milliseconds=1)))
    with pytest.raises(LedgerError, match="did not answer in time"):
        Ledger.open(hasty)
    hasty.back_up(tmp_path / "backup.sqlite3")
    assert 1 == copy(hasty, FilePlace(tmp_path / "copy.sqlite3"), NOW)


def test_threads_do_not_wait_for_each_other_without_need(place: PostgresPlace) -> None:
    """While one message is being claimed, another can be recorded; only a plan is alone."""
    with Ledger.create(place) as ledger, closing(place.open()) as session, session.working():
        done = threading.Event()

        def beat() -> None:
            ledger.beat(INSTANCE, NOW)
            done.set()

        thread = threading.Thread(target=beat)
        thread.start()
        thread.join()
        assert done.is_set()


def test_a_record_that_comes_late_does_not_stand_in_the_way(place: PostgresPlace) -> None:
    """Whoever takes a message over, and whoever still records what came of it, lock its rows in the same order."""
    with Ledger.create(place) as ledger, Ledger.open(place) as late:
        replan(ledger, facts(RELEASE))
        claim = take(ledger)
        with closing(place.open()) as session:
            for record in (defer, accept):
                with session.working() as connection:
                    connection.execute("SELECT id FROM message FOR NO KEY UPDATE")  # as it is taken over
                    thread = threading.Thread(target=record, args=(late, claim))
                    thread.start()
                    wait_for_a_waiter(place)
                    connection.execute("UPDATE attempt SET ended_at = started_at")
                thread.join()
        assert [("sent",)] == query(place, "SELECT outcome FROM attempt")


def test_two_records_about_the_same_rows(place: PostgresPlace) -> None:
    """One that gives up what another is recording locks that one's message first, as the other does."""
    with Ledger.create(place) as ledger, Ledger.open(place) as late:
        replan(ledger, facts(RELEASE))
        plain = take(ledger)
        later = NOW + LEASE_OVER
        replan(ledger, facts(update("4.5.1", urgent=True), now=later))
        urgent = find_claim(ledger, later)
        assert urgent is not None
        query(place, "UPDATE delivery SET state = 'pending' WHERE identity = 'update/4.5.1'")
        query(place, "UPDATE message SET state = 'pending', settled_at = NULL WHERE id = ?", plain.message_id)
        with closing(place.open()) as session, session.working() as connection:
            lock = "SELECT id FROM message WHERE id = ? FOR NO KEY UPDATE"  # as the other one does, which records it
            connection.execute(lock, (plain.message_id,))
            thread = threading.Thread(target=accept, args=(late, urgent))
            thread.start()
            wait_for_a_waiter(place)
            connection.execute("UPDATE delivery SET settled_at = planned_at WHERE message_id = ?", (plain.message_id,))
        thread.join()
        assert [("sent",)] == query(place, "SELECT state FROM message WHERE id = ?", urgent.message_id)


def wait_for_a_waiter(place: PostgresPlace) -> None:
    """Wait until somebody waits for a lock of the ledger's rows."""
    end = time.monotonic() + 30
    while not query(place, "SELECT 1 FROM pg_locks WHERE NOT granted"):
        assert time.monotonic() < end
        time.sleep(0.01)
