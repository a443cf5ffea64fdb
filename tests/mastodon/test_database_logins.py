"""Logging in to Mastodon's database: each login that is refused names the role and the fix, and the next is tried."""

import pytest

from domain.examples import cases
from mastodon.databases import OWN_ROLE, populated, refusal, socket_address, tcp_address, trusted_address
from mastodon_update_check.mastodon.database import ask_first
from mastodon_update_check.mastodon.database_address import DatabaseAddress
from simulators.postgres import Postgres


@pytest.fixture(scope="module")
def database(postgres: Postgres) -> str:
    """Return a database without our function."""
    return populated(postgres, "to log in to", "4.7")


@cases(
    "changes wrong",
    ("a wrong one", {"password": "no"}, 'password authentication failed for user "mastodon"'),
    ("none", {"password": ""}, "fe_sendauth: no password supplied"),
    ("no such role", {"user": "missing"}, 'password authentication failed for user "missing"'),
)
def test_password(postgres: Postgres, database: str, changes: dict[str, str], wrong: str) -> None:
    """A login over TCP that is refused: the role is named, and where its password is set."""
    user = changes.get("user", "mastodon")
    expected = f"cannot be used as the role {user}: {wrong}; check the password in the DB_ variables"
    sentence = refusal(tcp_address(postgres.port, database, **changes))
    assert sentence == f"PostgreSQL at 127.0.0.1:{postgres.port} {expected}"


def test_peer_login_as_another_user(postgres: Postgres, database: str) -> None:
    """Over a socket, a role may be another system user's."""
    sentence = refusal(socket_address(postgres, database, "peer"))
    assert 'cannot be used as the role peer: Peer authentication failed for user "peer"; ' in sentence
    assert "; over a socket each system user has the role of the same name: run " in sentence


REMEDY = "run `mastodon-update-check setup`, or give another login in UPDATE_CHECK_DATABASE_URL"


@cases(
    "script wrong",
    (
        "CREATE ROLE dormant",
        'cannot be used as the role dormant: role "dormant" is not permitted to log in; ALTER ROLE … LOGIN allows it',
    ),
    (
        "CREATE ROLE busy LOGIN CONNECTION LIMIT 0",
        'cannot be used as the role busy: too many connections for role "busy"',
    ),
    ("CREATE ROLE reader LOGIN", f"does not let the role reader read Mastodon's tables: {REMEDY}"),
)
def test_role_without_rights(postgres: Postgres, database: str, script: str, wrong: str) -> None:
    """The error for a role that lacks a right says what grants it."""
    postgres.execute("postgres", script)
    address = socket_address(postgres, database, script.split()[2])
    assert refusal(address) == f"PostgreSQL at {postgres.socket} {wrong}"


@pytest.mark.parametrize(
    "conninfo", ["secret", "host=a secret=b", "postgresql://u:sec ret@h/d", "postgresql://[secret"]
)
def test_string_that_is_none(conninfo: str) -> None:
    """A connection string with a slip in it is not repeated: the slip may be the password."""
    address = DatabaseAddress(origin="UPDATE_CHECK_DATABASE_URL", conninfo=conninfo)
    expected = "UPDATE_CHECK_DATABASE_URL is not a connection string that PostgreSQL's libpq can read"
    assert refusal(address) == expected


PASSWORDS_NOT_ESCAPED = ("secret/x", "secret?x", "secret#x", "x@secret", "12345/x", "12345#x", "12345?x")


@pytest.mark.parametrize("password", PASSWORDS_NOT_ESCAPED)
def test_password_that_is_not_escaped(password: str) -> None:
    """It would be read as host, port and database, and be repeated with them."""
    expected = "has a password whose special characters must be escaped: write %2F for /, %3F for ?, %23 for # and"
    url = f"postgresql://mastodon:{password}@127.0.0.1:1/db?pool=5"
    sentence = refusal(DatabaseAddress(origin="UPDATE_CHECK_DATABASE_URL", conninfo=url))
    assert sentence.startswith(f"UPDATE_CHECK_DATABASE_URL {expected}")


def test_own_role_and_then_the_next(postgres: Postgres, database: str) -> None:
    """Where our own role cannot log in, Mastodon's login is tried; if all fail, the error says what each lacks."""
    own = socket_address(postgres, database, OWN_ROLE)
    conninfo = f"postgresql://mastodon@/{database.replace(' ', '%20')}?host={postgres.directory}&port={postgres.port}"
    for good in (socket_address(postgres, database), DatabaseAddress(origin="x", conninfo=conninfo)):
        assert ask_first([own, good]).through == f"Mastodon's tables as mastodon at {postgres.socket}"
    first, second = refusal(
        socket_address(postgres, database, "missing"), tcp_address(postgres.port, database, password="no")
    ).split("; and ")
    assert "password authentication failed for user" in first
    assert 'role "missing" does not exist; run `mastodon-update-check setup`, or check the DB_ variables' in second


def test_environment_s_startup_options_are_left_out(
    postgres: Postgres, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PGOPTIONS would be refused by PgBouncer: it does not reach the server."""
    monkeypatch.setenv("PGOPTIONS", "-c no_such_setting=1")
    address = socket_address(postgres, database)
    for one in (address, trusted_address(**address.parameters)):
        assert ask_first([one]).verdicts
