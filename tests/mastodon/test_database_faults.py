"""A database that cannot be asked: each fault ends, in a sentence that an administrator can act on."""

from contextlib import closing
from datetime import timedelta

import pytest

from mastodon.databases import DIRECT, OWN_ROLE, populated, socket_address, tcp_address
from mastodon_update_check.errors import Cause, CheckError
from mastodon_update_check.mastodon.database import DatabaseBounds, ask_first, ask_staff
from mastodon_update_check.mastodon.database_address import DatabaseAddress, without_rails_parameters
from simulators import postgres_front
from simulators.http_server import unused_port
from simulators.postgres import Postgres
from simulators.postgres_front import Conversation, Front

SHORT = DatabaseBounds(
    connect=timedelta(seconds=2),
    statement=timedelta(milliseconds=300),
    lock=timedelta(milliseconds=100),
    total=timedelta(seconds=3),
)


@pytest.fixture(scope="module")
def database(postgres: Postgres) -> str:
    """Return a database without our function."""
    return populated(postgres, "without a function", "4.7")


def fault(*addresses: DatabaseAddress) -> str:
    """Return the sentence with which asking fails."""
    with pytest.raises(CheckError) as caught:
        ask_first(addresses, bounds=SHORT)
    assert caught.value.cause == Cause.DATABASE
    assert "right" not in caught.value.detail  # the password of these tests
    return caught.value.detail


@pytest.mark.usefixtures("database")  # which makes the role
def test_database_absent(postgres: Postgres) -> None:
    """The server has no database of that name."""
    expected = f"PostgreSQL at {postgres.socket} has no database mastodon_production: check the DB_ variables"
    assert expected == fault(socket_address(postgres, "mastodon_production"))


def test_server_absent() -> None:
    """Nothing listens there."""
    port = unused_port()
    wrong = "refuses the connection: is it running? Check the DB_ variables"
    assert f"PostgreSQL at 127.0.0.1:{port} {wrong}" == fault(tcp_address(port, "x"))


def test_socket_absent() -> None:
    """There is no socket in that directory."""
    address = DatabaseAddress(origin="DB_HOST", parameters={"host": "/nowhere", "dbname": "x", "user": "y"})
    wrong = "has no such socket: is it running? Check DB_HOST"
    assert f"PostgreSQL at /nowhere/.s.PGSQL.5432 {wrong}" == fault(address)


def test_host_absent() -> None:
    """The name of the host leads nowhere."""
    address = DatabaseAddress(origin="DB_HOST", parameters={"host": "db.invalid", "dbname": "x", "user": "y"})
    wrong = "cannot be found, for the name of its host is not known: check DB_HOST"
    assert f"PostgreSQL at db.invalid:5432 {wrong}" == fault(address)


PASSWORDS = [
    ("a wrong one", {"password": "no"}, "refuses the password of the role mastodon: check the DB_ variables"),
    ("none", {"password": ""}, "wants a password for the role mastodon, and there is none in the DB_ variables"),
    ("no such role", {"user": "missing"}, "refuses the password of the role missing: check the DB_ variables"),
]


@pytest.mark.parametrize(("changes", "wrong"), [row[1:] for row in PASSWORDS], ids=[row[0] for row in PASSWORDS])
def test_password(postgres: Postgres, database: str, changes: dict[str, str], wrong: str) -> None:
    """A login over TCP that is refused: the role is named, and where its password is set."""
    assert f"PostgreSQL at 127.0.0.1:{postgres.port} {wrong}" == fault(tcp_address(postgres.port, database, **changes))


def test_right_password(postgres: Postgres, database: str) -> None:
    """With the right one the answer comes."""
    assert ask_staff(tcp_address(postgres.port, database)).through.endswith(
        f" as mastodon at 127.0.0.1:{postgres.port}"
    )


def test_peer_login_as_somebody_else(postgres: Postgres, database: str) -> None:
    """Over a socket, a role may be another system user's."""
    wrong = "does not take this process for the role peer: over a socket each system user has the role of its own name"
    assert fault(socket_address(postgres, database, "peer")).startswith(
        f"PostgreSQL at {postgres.socket} {wrong}; run "
    )


def test_role_absent(postgres: Postgres, database: str) -> None:
    """Over a socket a missing role is told."""
    wrong = "has no role missing: run packaging/postgresql/install.sql there, or check the DB_ variables"
    assert f"PostgreSQL at {postgres.socket} {wrong}" == fault(socket_address(postgres, database, "missing"))


def test_role_that_is_barred(postgres: Postgres, database: str) -> None:
    """A server that lets nobody in from here has a line too few, or one too many."""
    sentence = fault(tcp_address(postgres.port, database, user="barred"))
    assert "lets nobody in as the role barred from this host: check its pg_hba.conf (" in sentence


def test_role_without_login(postgres: Postgres, database: str) -> None:
    """A role may exist without being a login."""
    postgres.execute("postgres", "CREATE ROLE dormant")
    wrong = "does not let the role dormant log in: ALTER ROLE … LOGIN allows it"
    assert f"PostgreSQL at {postgres.socket} {wrong}" == fault(socket_address(postgres, database, "dormant"))


def test_database_that_is_closed(postgres: Postgres) -> None:
    """A role may be kept out of a database."""
    postgres.create_database("closed", "SELECT")
    postgres.execute("postgres", "REVOKE CONNECT ON DATABASE closed FROM PUBLIC; CREATE ROLE visitor LOGIN")
    wrong = "does not let the role visitor into the database closed: GRANT CONNECT allows it"
    assert f"PostgreSQL at {postgres.socket} {wrong}" == fault(socket_address(postgres, "closed", "visitor"))


def test_no_connection_left(postgres: Postgres, database: str) -> None:
    """A role that has used up its connections waits for the next check."""
    postgres.execute("postgres", "CREATE ROLE busy LOGIN CONNECTION LIMIT 0")
    wrong = "has no connection left for the role busy"
    assert f"PostgreSQL at {postgres.socket} {wrong}" == fault(socket_address(postgres, database, "busy"))


def test_tables_that_may_not_be_read(postgres: Postgres, database: str) -> None:
    """A login without rights is told what gives them."""
    postgres.execute("postgres", "CREATE ROLE reader LOGIN")
    wrong = (
        "does not let the role reader read Mastodon's tables: run packaging/postgresql/install.sql there,"
        " or give another login with UPDATE_CHECK_DATABASE_URL"
    )
    assert f"PostgreSQL at {postgres.socket} {wrong}" == fault(socket_address(postgres, database, "reader"))


STRANGE = [
    ("no tables", "SELECT"),
    ("users of something else", "CREATE TABLE users (id int)"),
    ("users elsewhere", "CREATE SCHEMA app; CREATE TABLE app.users (role_id int); CREATE TABLE app.accounts (id int)"),
]


@pytest.mark.parametrize("script", [row[1] for row in STRANGE], ids=[row[0] for row in STRANGE])
def test_database_of_something_else(postgres: Postgres, script: str) -> None:
    """A database that is not Mastodon's is no server without staff: it is an error."""
    name = postgres.create_database("something else", script)
    sentence = fault(socket_address(postgres, name))
    postgres.drop_database(name)
    assert f"PostgreSQL at {postgres.socket} has no Mastodon in something else: check the DB_ variables" == sentence


ALIKE = [
    ("no rights at all", "CREATE TABLE users (id int, account_id int); CREATE TABLE accounts (id int)"),
    ("roles without users", "CREATE TABLE users (id int); CREATE TABLE accounts (id int); CREATE TABLE user_roles ()"),
    ("views", "CREATE VIEW users AS SELECT 1 AS id; CREATE VIEW accounts AS SELECT 1 AS id"),
]


@pytest.mark.parametrize("script", [row[1] for row in ALIKE], ids=[row[0] for row in ALIKE])
def test_schema_that_looks_alike(postgres: Postgres, script: str) -> None:
    """Tables of these names with other columns are not Mastodon's; the server's own words are added."""
    name = postgres.create_database("lookalike", script)
    sentence = fault(socket_address(postgres, name))
    postgres.drop_database(name)
    words = "has another schema in lookalike than any Mastodon that is known here: column "
    assert sentence.startswith(f"PostgreSQL at {postgres.socket} {words}")


def test_lock_that_holds_the_table(postgres: Postgres, database: str) -> None:
    """A migration that keeps users to itself is waited for only so long, and afterwards the answer comes."""
    wrong = "keeps one of Mastodon's tables locked, as a migration or maintenance does: the next check asks again"
    with closing(postgres.connect(database, DIRECT)) as migration:
        migration.execute("BEGIN")
        migration.execute("LOCK TABLE users IN ACCESS EXCLUSIVE MODE")
        assert f"PostgreSQL at {postgres.socket} {wrong}" == fault(socket_address(postgres, database))
        migration.execute("COMMIT")
    assert ask_staff(socket_address(postgres, database), bounds=SHORT).verdicts


def test_question_that_takes_too_long(postgres: Postgres) -> None:
    """The server itself ends a question that takes too long."""
    name = populated(postgres, "slow", "4.7")
    postgres.execute(
        name,
        "ALTER TABLE accounts RENAME TO real; CREATE VIEW accounts AS SELECT real.* FROM real, pg_sleep(60)",
        DIRECT,
    )
    wrong = "took too long to answer, and the question was cancelled: is it overloaded?"
    assert f"PostgreSQL at {postgres.socket} {wrong}" == fault(socket_address(postgres, name))


FRONTS = [
    ("hangs at connect", postgres_front.silence, "did not answer in time"),
    ("dribbles at the login", postgres_front.dribble_at_login, "did not answer in time"),
    ("hangs after the login", postgres_front.silence_after_login, "did not answer in time"),
    ("dribbles after the login", postgres_front.dribble_after_login, "did not answer in time"),
    ("speaks SMTP", postgres_front.another_protocol, "broke the conversation off: is this really PostgreSQL?"),
    ("goes after the login", postgres_front.end_after_login, "broke the conversation off"),
]


@pytest.mark.parametrize(("converse", "wrong"), [row[1:] for row in FRONTS], ids=[row[0] for row in FRONTS])
def test_network_that_fails(converse: Conversation, wrong: str) -> None:
    """Whatever listens there and however long it takes, it comes to an end."""
    with Front(converse) as front:
        sentence = fault(tcp_address(front.port, "x", sslmode="disable"))
    assert sentence.startswith(f"PostgreSQL at 127.0.0.1:{front.port} {wrong}")


@pytest.mark.parametrize(
    "conninfo", ["secret", "host=a secret=b", "postgresql://u:sec ret@h/d", "postgresql://[secret"]
)
def test_string_that_is_none(conninfo: str) -> None:
    """A connection string with a slip in it is not repeated: the slip may be the password."""
    address = DatabaseAddress(origin="UPDATE_CHECK_DATABASE_URL", conninfo=conninfo)
    with pytest.raises(CheckError) as caught:
        ask_staff(address)
    expected = "UPDATE_CHECK_DATABASE_URL is no connection string that PostgreSQL's libpq can read"
    cause = caught.value.__cause__
    assert cause is not None
    assert (expected, expected) == (caught.value.detail, str(cause))
    assert (None, None) == (cause.__cause__, cause.__context__)


@pytest.mark.parametrize("password", ["secret/x", "secret?x", "secret#x", "x@secret", "12345/x", "12345#x", "12345?x"])
@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgis"])
def test_password_that_is_not_escaped(scheme: str, password: str) -> None:
    """It would be taken for host, port and database, and be repeated with them."""
    url = f"{scheme}://mastodon:{password}@127.0.0.1:1/db?pool=5"
    for conninfo in (url, without_rails_parameters(url)):
        with pytest.raises(CheckError) as caught:
            ask_staff(DatabaseAddress(origin="DATABASE_URL", conninfo=conninfo))
        expected = "holds a password whose signs must be escaped: / is written %2F, ? %3F, # %23 and @ %40"
        assert f"DATABASE_URL {expected}" == caught.value.detail


def test_own_role_and_then_the_next(postgres: Postgres, database: str) -> None:
    """Where our own role cannot log in, or may read nothing, Mastodon's login is tried."""
    own = socket_address(postgres, database, OWN_ROLE)
    staff = ask_first((own, socket_address(postgres, database)))
    assert f"Mastodon's tables as mastodon at {postgres.socket}" == staff.through


def test_all_logins_fail(postgres: Postgres, database: str) -> None:
    """What each of them lacks is said, the usual login's first."""
    sentence = fault(socket_address(postgres, database, "missing"), tcp_address(postgres.port, database, password="no"))
    first, second = sentence.split("; and ")
    assert "refuses the password of the role mastodon" in first
    assert "has no role missing" in second


def test_any_connection_string(postgres: Postgres, database: str) -> None:
    """A whole string will do, as a URL or in libpq's own form; what it says goes before the parameters beside it."""
    strings = (
        f"postgresql://mastodon@/{database.replace(' ', '%20')}?host={postgres.directory}&port={postgres.port}",
        f"host={postgres.directory} port={postgres.port} user=mastodon dbname='{database}'",
    )
    for conninfo in strings:
        address = DatabaseAddress(origin="x", conninfo=conninfo, parameters={"host": "nowhere.invalid", "port": "1"})
        assert f"Mastodon's tables as mastodon at {postgres.socket}" == ask_staff(address).through


def test_environment_s_startup_options_are_left_out(
    postgres: Postgres, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PGOPTIONS would be refused by PgBouncer: it does not reach the server."""
    monkeypatch.setenv("PGOPTIONS", "-c no_such_setting=1")
    assert ask_staff(socket_address(postgres, database)).verdicts
