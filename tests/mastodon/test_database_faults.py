"""A database that cannot be asked: each fault ends, in a sentence that an administrator can act on."""

from collections.abc import Callable
from contextlib import closing
from datetime import timedelta

import pytest

from mastodon.databases import DIRECT, OWN_ROLE, ask, populated, socket_address, tcp_address, trusted_address
from mastodon_update_check.domain.staff import DatabaseAnswer
from mastodon_update_check.errors import Cause, CheckError
from mastodon_update_check.mastodon.database import DatabaseBounds, ask_first
from mastodon_update_check.mastodon.database_address import DatabaseAddress
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


def fault(*logins: DatabaseAddress, ask: Callable[..., DatabaseAnswer] = ask) -> str:
    """Return the sentence with which asking fails."""
    with pytest.raises(CheckError) as caught:
        ask(*logins, bounds=SHORT)
    assert caught.value.cause == Cause.DATABASE
    assert "right" not in caught.value.detail  # the password of these tests
    return caught.value.detail


@pytest.mark.usefixtures("database")  # which makes the role
def test_database_absent(postgres: Postgres) -> None:
    """The server has no database of that name."""
    wrong = (
        'cannot be used as the role mastodon: database "mastodon_production" does not exist; check the DB_ variables'
    )
    expected = f"PostgreSQL at {postgres.socket} {wrong}"
    assert fault(socket_address(postgres, "mastodon_production")) == expected


def test_server_absent() -> None:
    """Nothing listens there."""
    port = unused_port()
    wrong = "cannot be used as the role mastodon: Connection refused; is it running? Check the DB_ variables"
    assert fault(tcp_address(port, "x")) == f"PostgreSQL at 127.0.0.1:{port} {wrong}"


def test_socket_absent() -> None:
    """There is no socket in that directory."""
    address = DatabaseAddress(origin="DB_HOST", parameters={"host": "/nowhere", "dbname": "x", "user": "y"})
    wrong = "cannot be used as the role y: No such file or directory; is it running? Check DB_HOST"
    assert fault(address) == f"PostgreSQL at /nowhere/.s.PGSQL.5432 {wrong}"


def test_host_absent() -> None:
    """The name of the host leads nowhere."""
    address = DatabaseAddress(origin="DB_HOST", parameters={"host": "db.invalid", "dbname": "x", "user": "y"})
    sentence = fault(address)
    assert sentence.startswith("PostgreSQL at db.invalid:5432 cannot be used as the role y: ")
    assert sentence.endswith("; check DB_HOST")


PASSWORDS = [
    ("a wrong one", {"password": "no"}, 'password authentication failed for user "mastodon"'),
    ("none", {"password": ""}, "fe_sendauth: no password supplied"),
    ("no such role", {"user": "missing"}, 'password authentication failed for user "missing"'),
]


@pytest.mark.parametrize(("changes", "wrong"), [row[1:] for row in PASSWORDS], ids=[row[0] for row in PASSWORDS])
def test_password(postgres: Postgres, database: str, changes: dict[str, str], wrong: str) -> None:
    """A login over TCP that is refused: the role is named, and where its password is set."""
    user = changes.get("user", "mastodon")
    expected = f"cannot be used as the role {user}: {wrong}; check the password in the DB_ variables"
    sentence = fault(tcp_address(postgres.port, database, **changes))
    assert sentence == f"PostgreSQL at 127.0.0.1:{postgres.port} {expected}"


def test_right_password(postgres: Postgres, database: str) -> None:
    """With the right one the answer comes."""
    assert ask(tcp_address(postgres.port, database)).through.endswith(f" as mastodon at 127.0.0.1:{postgres.port}")


def test_peer_login_as_another_user(postgres: Postgres, database: str) -> None:
    """Over a socket, a role may be another system user's."""
    sentence = fault(socket_address(postgres, database, "peer"))
    assert 'cannot be used as the role peer: Peer authentication failed for user "peer"; ' in sentence
    assert "; over a socket each system user has the role of the same name: run " in sentence


def test_role_absent(postgres: Postgres, database: str) -> None:
    """Over a socket the error names a missing role."""
    sentence = fault(socket_address(postgres, database, "missing"))
    assert 'cannot be used as the role missing: role "missing" does not exist; ' in sentence
    assert sentence.endswith("; run `mastodon-update-check setup`, or check the DB_ variables")


def test_role_that_is_barred(postgres: Postgres, database: str) -> None:
    """A server that refuses this host has a line too few, or one too many."""
    sentence = fault(tcp_address(postgres.port, database, user="barred"))
    assert "cannot be used as the role barred: pg_hba.conf rejects connection" in sentence


def test_role_without_login(postgres: Postgres, database: str) -> None:
    """A role may exist without being a login."""
    postgres.execute("postgres", "CREATE ROLE dormant")
    wrong = (
        'cannot be used as the role dormant: role "dormant" is not permitted to log in; ALTER ROLE … LOGIN allows it'
    )
    assert fault(socket_address(postgres, database, "dormant")) == f"PostgreSQL at {postgres.socket} {wrong}"


def test_database_that_is_closed(postgres: Postgres) -> None:
    """A role may be kept out of a database."""
    postgres.create_database("closed", "SELECT")
    postgres.execute("postgres", "REVOKE CONNECT ON DATABASE closed FROM PUBLIC; CREATE ROLE visitor LOGIN")
    wrong = 'cannot be used as the role visitor: permission denied for database "closed"; GRANT CONNECT allows it'
    assert fault(socket_address(postgres, "closed", "visitor")) == f"PostgreSQL at {postgres.socket} {wrong}"


def test_no_connection_left(postgres: Postgres, database: str) -> None:
    """A role that has used up its connections waits for the next check."""
    postgres.execute("postgres", "CREATE ROLE busy LOGIN CONNECTION LIMIT 0")
    wrong = 'cannot be used as the role busy: too many connections for role "busy"'
    assert fault(socket_address(postgres, database, "busy")) == f"PostgreSQL at {postgres.socket} {wrong}"


def test_tables_that_may_not_be_read(postgres: Postgres, database: str) -> None:
    """The error for a login without rights says what grants them."""
    postgres.execute("postgres", "CREATE ROLE reader LOGIN")
    wrong = (
        "does not let the role reader read Mastodon's tables: run `mastodon-update-check setup`,"
        " or give another login in UPDATE_CHECK_DATABASE_URL"
    )
    assert fault(socket_address(postgres, database, "reader")) == f"PostgreSQL at {postgres.socket} {wrong}"


STRANGE = [
    ("no tables", "SELECT"),
    ("users of something else", "CREATE TABLE users (id int)"),
    ("users elsewhere", "CREATE SCHEMA app; CREATE TABLE app.users (role_id int); CREATE TABLE app.accounts (id int)"),
]


@pytest.mark.parametrize("script", [row[1] for row in STRANGE], ids=[row[0] for row in STRANGE])
def test_database_of_something_else(postgres: Postgres, script: str) -> None:
    """A database that is not Mastodon's is an error, and not a server without staff."""
    name = postgres.create_database("something else", script)
    sentence = fault(socket_address(postgres, name))
    postgres.drop_database(name)
    assert sentence == f"PostgreSQL at {postgres.socket} has no Mastodon in something else: check the DB_ variables"


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
    words = "has a schema in lookalike that no known Mastodon has: column "
    assert sentence.startswith(f"PostgreSQL at {postgres.socket} {words}")


def test_lock_that_holds_the_table(postgres: Postgres, database: str) -> None:
    """A migration that keeps users to itself is waited for only so long, and afterwards the answer comes."""
    wrong = "keeps one of Mastodon's tables locked, as a migration or maintenance does: the next check asks again"
    with closing(postgres.connect(database, DIRECT)) as migration:
        migration.execute("BEGIN")
        migration.execute("LOCK TABLE users IN ACCESS EXCLUSIVE MODE")
        assert fault(socket_address(postgres, database)) == f"PostgreSQL at {postgres.socket} {wrong}"
        migration.execute("COMMIT")
    assert ask(socket_address(postgres, database), bounds=SHORT).verdicts


def test_question_that_takes_too_long(postgres: Postgres) -> None:
    """The server itself ends a question that takes too long."""
    name = populated(postgres, "slow", "4.7")
    postgres.execute(
        name,
        "ALTER TABLE accounts RENAME TO real; CREATE VIEW accounts AS SELECT real.* FROM real, pg_sleep(60)",
        DIRECT,
    )
    wrong = "took too long to answer, and the query was cancelled: is it overloaded?"
    assert fault(socket_address(postgres, name)) == f"PostgreSQL at {postgres.socket} {wrong}"


def ask_in_process(*logins: DatabaseAddress, bounds: DatabaseBounds) -> DatabaseAnswer:
    """Ask as the program does."""
    return ask_first(logins, bounds=bounds)


FRONTS = [
    ("hangs at connect", postgres_front.silence, "did not answer in time"),
    ("dribbles at the login", postgres_front.dribble_at_login, "did not answer in time"),
    ("hangs after the login", postgres_front.silence_after_login, "did not answer in time"),
    ("dribbles after the login", postgres_front.dribble_after_login, "did not answer in time"),
    ("speaks SMTP", postgres_front.another_protocol, "is this PostgreSQL?"),
    ("goes after the login", postgres_front.end_after_login, "closed the connection"),
]


@pytest.mark.parametrize(("converse", "wrong"), [row[1:] for row in FRONTS], ids=[row[0] for row in FRONTS])
def test_network_that_fails(converse: Conversation, wrong: str) -> None:
    """The conversation ends, with any server and any delay."""
    with Front(converse) as front:
        sentence = fault(tcp_address(front.port, "x", sslmode="disable"), ask=ask_in_process)
    assert sentence.startswith(f"PostgreSQL at 127.0.0.1:{front.port} ")
    assert wrong in sentence


@pytest.mark.parametrize(
    "conninfo", ["secret", "host=a secret=b", "postgresql://u:sec ret@h/d", "postgresql://[secret"]
)
def test_string_that_is_none(conninfo: str) -> None:
    """A connection string with a slip in it is not repeated: the slip may be the password."""
    address = DatabaseAddress(origin="UPDATE_CHECK_DATABASE_URL", conninfo=conninfo)
    with pytest.raises(CheckError) as caught:
        ask(address)
    expected = "UPDATE_CHECK_DATABASE_URL is not a connection string that PostgreSQL's libpq can read"
    assert caught.value.detail == expected


PASSWORDS_NOT_ESCAPED = ("secret/x", "secret?x", "secret#x", "x@secret", "12345/x", "12345#x", "12345?x")


@pytest.mark.parametrize("password", PASSWORDS_NOT_ESCAPED)
def test_password_that_is_not_escaped(password: str) -> None:
    """It would be read as host, port and database, and be repeated with them."""
    expected = "has a password whose special characters must be escaped: write %2F for /, %3F for ?, %23 for # and"
    url = f"postgresql://mastodon:{password}@127.0.0.1:1/db?pool=5"
    sentence = fault(DatabaseAddress(origin="UPDATE_CHECK_DATABASE_URL", conninfo=url))
    assert sentence.startswith(f"UPDATE_CHECK_DATABASE_URL {expected}")


def test_own_role_and_then_the_next(postgres: Postgres, database: str) -> None:
    """Where our own role cannot log in, or may read nothing, Mastodon's login is tried."""
    own = socket_address(postgres, database, OWN_ROLE)
    staff = ask_first([own, socket_address(postgres, database)])
    assert staff.through == f"Mastodon's tables as mastodon at {postgres.socket}"


def test_all_logins_fail(postgres: Postgres, database: str) -> None:
    """The error says what each of them lacks, the usual login's first."""
    sentence = fault(socket_address(postgres, database, "missing"), tcp_address(postgres.port, database, password="no"))
    first, second = sentence.split("; and ")
    assert "password authentication failed for user" in first
    assert 'role "missing" does not exist' in second


def test_any_connection_string(postgres: Postgres, database: str) -> None:
    """The administrator's may be a URL or have libpq's own form."""
    strings = (
        f"postgresql://mastodon@/{database.replace(' ', '%20')}?host={postgres.directory}&port={postgres.port}",
        f"host={postgres.directory} port={postgres.port} user=mastodon dbname='{database}'",
    )
    for conninfo in strings:
        address = DatabaseAddress(origin="x", conninfo=conninfo)
        assert ask(address).through == f"Mastodon's tables as mastodon at {postgres.socket}"


def test_environment_s_startup_options_are_left_out(
    postgres: Postgres, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PGOPTIONS would be refused by PgBouncer: it does not reach the server."""
    monkeypatch.setenv("PGOPTIONS", "-c no_such_setting=1")
    address = socket_address(postgres, database)
    for one in (address, trusted_address(**address.parameters)):
        assert ask_first([one]).verdicts


def test_process_that_fails(postgres: Postgres, database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault in the process is reported as such, and not as a silent database."""
    monkeypatch.setattr("sys.path", [])
    expected = r"^the process that asks Mastodon's database failed|^PostgreSQL's client library is missing: "
    with pytest.raises(CheckError, match=expected):
        ask_first([socket_address(postgres, database)])
