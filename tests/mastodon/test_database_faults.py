"""A database that cannot be asked: each fault ends, in a sentence that an administrator can act on."""

from contextlib import closing

import psycopg
import pytest

from domain.examples import cases
from mastodon.databases import DIRECT, SHORT, ask, populated, refusal, socket_address, tcp_address
from mastodon_update_check.errors import CheckError
from mastodon_update_check.mastodon.database import ask_first, read_answer
from mastodon_update_check.mastodon.database_address import DatabaseAddress
from mastodon_update_check.mastodon.database_session import explain_query
from mastodon_update_check.postgres.login import Login
from simulators import postgres_front
from simulators.http_server import unused_port
from simulators.postgres import Postgres
from simulators.postgres_front import Conversation, Front


@pytest.fixture(scope="module")
def database(postgres: Postgres) -> str:
    """Return a database without our function."""
    return populated(postgres, "without a function", "4.7")


@pytest.mark.usefixtures("database")  # which makes the role
def test_database_absent(postgres: Postgres) -> None:
    """The server has no database of that name."""
    wrong = 'database "mastodon_production" does not exist; check the DB_ variables'
    expected = f"PostgreSQL at {postgres.socket} cannot be used as the role mastodon: {wrong}"
    assert refusal(socket_address(postgres, "mastodon_production")) == expected


@cases(
    "host place wrong",
    ("nothing listens there", "127.0.0.1", "127.0.0.1:{}", "Connection refused"),
    ("there is no socket", "/nowhere", "/nowhere/.s.PGSQL.{}", "No such file or directory"),
)
def test_server_absent(host: str, place: str, wrong: str) -> None:
    """The sentence names the place, the reason, and where the address was set."""
    port = str(unused_port())
    login = {"host": host, "port": port, "dbname": "x", "user": "y"}
    expected = f"PostgreSQL at {place.format(port)} cannot be used as the role y: {wrong}; is it running? Check DB_HOST"
    assert refusal(DatabaseAddress(origin="DB_HOST", parameters=login)) == expected


NO_MASTODON = "has no Mastodon in something else: check the DB_ variables"
LOOKS_ALIKE = "has a schema in something else that no known Mastodon has:"


@cases(
    "script wrong",
    ("SELECT", NO_MASTODON),
    ("CREATE TABLE users (id int)", NO_MASTODON),
    ("CREATE SCHEMA app; CREATE TABLE app.users (role_id int); CREATE TABLE app.accounts (id int)", NO_MASTODON),
    ("CREATE TABLE users (id int, account_id int); CREATE TABLE accounts (id int)", LOOKS_ALIKE),
    ("CREATE TABLE users (id int); CREATE TABLE accounts (id int); CREATE TABLE user_roles ()", LOOKS_ALIKE),
    ("CREATE VIEW users AS SELECT 1 AS id; CREATE VIEW accounts AS SELECT 1 AS id", LOOKS_ALIKE),
)
def test_database_of_something_else(postgres: Postgres, script: str, wrong: str) -> None:
    """A database that is not Mastodon's is an error, and not a server without staff."""
    name = postgres.create_database("something else", script)
    sentence = refusal(socket_address(postgres, name))
    postgres.drop_database(name)
    assert sentence.partition(" column ")[0] == f"PostgreSQL at {postgres.socket} {wrong}"


def test_lock_that_holds_the_table(postgres: Postgres, database: str) -> None:
    """A migration that keeps users to itself is waited for only so long, and afterwards the answer comes."""
    wrong = "keeps one of Mastodon's tables locked, as a migration or maintenance does: the next check asks again"
    with closing(postgres.connect(database, DIRECT)) as migration:
        migration.execute("BEGIN")
        migration.execute("LOCK TABLE users IN ACCESS EXCLUSIVE MODE")
        assert refusal(socket_address(postgres, database)) == f"PostgreSQL at {postgres.socket} {wrong}"
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
    assert refusal(socket_address(postgres, name)) == f"PostgreSQL at {postgres.socket} {wrong}"


@cases(
    "converse wrong",
    ("hangs at connect", postgres_front.silence, "did not answer in time"),
    ("dribbles at the login", postgres_front.dribble_at_login, "did not answer in time"),
    ("hangs after the login", postgres_front.silence_after_login, "did not answer in time"),
    ("dribbles after the login", postgres_front.dribble_after_login, "did not answer in time"),
    ("speaks SMTP", postgres_front.another_protocol, "is this PostgreSQL?"),
    ("goes after the login", postgres_front.end_after_login, "closed the connection"),
)
def test_network_that_fails(converse: Conversation, wrong: str) -> None:
    """The conversation ends, with any server and any delay."""
    with Front(converse) as front:
        sentence = refusal(tcp_address(front.port, "x", sslmode="disable"), in_process=True)
    assert sentence.startswith(f"PostgreSQL at 127.0.0.1:{front.port} ")
    assert wrong in sentence


def test_process_that_fails(postgres: Postgres, database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault in the process is reported as such, and not as a silent database."""
    monkeypatch.setattr("sys.path", [])
    expected = r"^the process that asks Mastodon's database failed|^PostgreSQL's client library is missing: "
    with pytest.raises(CheckError, match=expected):
        ask_first([socket_address(postgres, database)])


MAMMOTH = {"host": "db.example", "dbname": "mammoth", "user": "tusk", "sslmode": "require"}
LOGIN = Login(parameters=MAMMOTH, origin="DATABASE_URL", variable="UPDATE_CHECK_DATABASE_URL", remedy="make it")
WHERE = 'connection failed: connection to server at "192.0.2.1", port 5432 failed: '


@cases(
    "words expected",
    (
        "an older server's words",
        WHERE + 'FATAL:  Ident authentication failed for user "tusk"',
        "over a socket each system user has the role of the same name: make it, or set UPDATE_CHECK_DATABASE_URL",
    ),
    ("PgBouncer's", WHERE + "FATAL: SASL authentication failed", "failed; check the password in DATABASE_URL"),
    ("PgBouncer's", WHERE + "FATAL: no such user: tusk", "no such user: tusk; make it, or check DATABASE_URL"),
    ("PgBouncer's", WHERE + "FATAL: no such database: mammoth", "no such database: mammoth; check DATABASE_URL"),
    ("a closed database", WHERE + 'FATAL:  permission denied for database "x"', '"x"; GRANT CONNECT allows it'),
    ("an unknown host", 'could not translate host name "x" to address', "address; check DATABASE_URL"),
    ("no advice", WHERE + "FATAL:  the database system is starting up", "the database system is starting up"),
    ("a host that is down", WHERE + "Connection timed out", "Connection timed out; it did not answer in time"),
    (
        "a reset",
        WHERE + "could not receive data from server: Connection reset by peer",
        "Connection reset by peer; is this PostgreSQL?",
    ),
    (
        "another language",
        WHERE + "FATAL:  Passwort-Authentifizierung für Benutzer »tusk« fehlgeschlagen",
        "Passwort-Authentifizierung für Benutzer »tusk« fehlgeschlagen",
    ),
    ("several lines", WHERE + "one\n\ttwo\nFATAL:  three\x1b[1m", "three [1m"),
    ("no words", "", "no reason given"),
)
def test_login_that_fails(words: str, expected: str) -> None:
    """The words are passed on, cleaned, with advice where they are known."""
    sentence = LOGIN.explain(words)
    assert sentence.startswith("PostgreSQL at db.example:5432 cannot be used as the role tusk: ")
    assert sentence.endswith(expected)


@cases(
    "code words expected",
    ("stopped by an administrator", "57P01", "x", "fails with 57P01: x"),
    ("too many connections", "53300", "x", "fails with 53300: x"),
    ("PgBouncer's queue is too long", "08P01", "query_wait_timeout", "fails with 08P01: query_wait_timeout"),
    ("a damaged table", "XX001", "invalid page\n{role}", "fails with XX001: invalid page {role}"),
)
def test_question_that_fails(code: str, words: str, expected: str) -> None:
    """Known codes become advice; others are passed on with the server's words."""
    error = psycopg.errors.lookup(code)(words)
    assert explain_query(LOGIN, error) == f"PostgreSQL at db.example:5432 {expected}"


@pytest.mark.parametrize("version", [["1"], {"a": 1}, 1, None, "x", ""])
def test_migrations_of_another_form(version: object) -> None:
    """A database may return anything as a version: one that is not a number fails its part of the check alone."""
    with pytest.raises(CheckError, match=r"^staff\(\) returns a migration whose version is not a number: run"):
        read_answer({"rows": [], "migrations": ["20260101000000", version], "through": "staff()"})


def test_no_client_library(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where libpq is missing, the sentence says what to install."""
    monkeypatch.setenv("PSYCOPG_IMPL", "none")
    with pytest.raises(CheckError, match=r"^PostgreSQL's client library is missing: install libpq5, or .*none"):
        ask_first([DatabaseAddress(origin="DB_HOST", parameters={"host": "127.0.0.1", "port": "1"})])
