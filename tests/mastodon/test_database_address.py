"""Which logins are tried, and in which order."""

from pathlib import Path

import pytest

from mastodon_update_check.config import load_settings
from mastodon_update_check.mastodon.database_address import DatabaseAddress, addresses, without_rails_parameters

OWN_ROLE = "_mastodon_update_check"
NOTHING = {"UPDATE_CHECK_CONFIG": "/nowhere", "UPDATE_CHECK_MASTODON_ENV_FILE": "/nowhere"}


def found(variables: dict[str, str], os_user: str, home: Path) -> tuple[DatabaseAddress, ...]:
    """Return the logins for these variables."""
    (home / "empty.env").touch()
    files = {name: str(home / "empty.env") for name in NOTHING}
    return addresses(load_settings({"HOME": str(home)} | files | variables), os_user)


MASTODONS = {
    "host": "localhost",
    "port": "5432",
    "dbname": "mastodon_production",
    "user": "mastodon",
    "sslmode": "prefer",
}


def test_nothing_is_set(tmp_path: Path) -> None:
    """Mastodon's own defaults."""
    assert (DatabaseAddress(origin="the DB_ variables", parameters=MASTODONS),) == found({}, "mastodon", tmp_path)


def test_db_variables(tmp_path: Path) -> None:
    """Each of them is taken."""
    variables = {
        "DB_HOST": "db.example",
        "DB_PORT": "6432",
        "DB_NAME": "mammoth",
        "DB_USER": "tusk",
        "DB_PASS": "a b'\\c",
        "DB_SSLMODE": "verify-full",
    }
    values = ("db.example", "6432", "mammoth", "tusk", "a b'\\c", "verify-full")
    expected = dict(zip(("host", "port", "dbname", "user", "password", "sslmode"), values, strict=True))
    assert (DatabaseAddress(origin="the DB_ variables", parameters=expected),) == found(variables, "x", tmp_path)


def test_own_role_comes_first(tmp_path: Path) -> None:
    """As the system user of its name, our own role is tried first, without Mastodon's password."""
    variables = {"DB_HOST": "/run/postgresql", "DB_PORT": "5433", "DB_NAME": "mammoth", "DB_PASS": "secret"}
    own, next_one = found(variables, OWN_ROLE, tmp_path)
    expected = {
        "host": "/run/postgresql",
        "port": "5433",
        "dbname": "mammoth",
        "user": OWN_ROLE,
        "sslmode": "prefer",
    }
    assert DatabaseAddress(origin="DB_HOST, DB_PORT and DB_NAME", parameters=expected) == own
    assert "secret" == next_one.parameters["password"]


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "::1"])
def test_own_role_takes_the_socket_of_this_host(host: str, tmp_path: Path) -> None:
    """Peer login works over a socket alone; Mastodon's login goes where it is sent."""
    own, next_one = found({"DB_HOST": host}, OWN_ROLE, tmp_path)
    assert ("/var/run/postgresql", host) == (own.parameters["host"], next_one.parameters["host"])


def test_mastodons_url(tmp_path: Path) -> None:
    """DATABASE_URL lies over the DB_ variables, as in Rails; our own role comes before it."""
    variables = {"DATABASE_URL": "postgres://u:p@h/d?pool=5", "DB_SSLMODE": "require", "DB_PASS": "secret"}
    expected = DatabaseAddress(
        origin="DATABASE_URL",
        conninfo="postgres://u:p@h/d",
        parameters=MASTODONS | {"sslmode": "require", "password": "secret"},
    )
    assert (expected,) == found(variables, "mastodon", tmp_path)
    assert expected == found(variables, OWN_ROLE, tmp_path)[1]


def test_own_role_goes_where_mastodons_url_leads(tmp_path: Path) -> None:
    """Else it would ask the database of another Mastodon on this host who is to be told."""
    variables = {"DATABASE_URL": "postgres://u:p@localhost:5433/second?pool=5&sslmode=require", "DB_NAME": "first"}
    own, _ = found(variables, OWN_ROLE, tmp_path)
    expected = {
        "host": "/var/run/postgresql",
        "port": "5433",
        "dbname": "second",
        "user": OWN_ROLE,
        "sslmode": "require",
    }
    assert DatabaseAddress(origin="DATABASE_URL", parameters=expected) == own
    elsewhere, _ = found({"DATABASE_URL": "postgres://u:p@db.example/second"}, OWN_ROLE, tmp_path)
    assert "db.example" == elsewhere.parameters["host"]
    assert ["DATABASE_URL"] == [one.origin for one in found({"DATABASE_URL": "mysql2://h/d"}, OWN_ROLE, tmp_path)]


def test_our_own_url(tmp_path: Path) -> None:
    """What was asked for is taken as it is, and nothing else is tried."""
    variables = {
        "UPDATE_CHECK_DATABASE_URL": "host=h pool=5",
        "DATABASE_URL": "postgres://u:p@h/d",
        "DB_HOST": "x",
    }
    expected = (DatabaseAddress(origin="UPDATE_CHECK_DATABASE_URL", conninfo="host=h pool=5"),)
    assert expected == found(variables, OWN_ROLE, tmp_path)


def test_secrets_are_hidden(tmp_path: Path) -> None:
    """Neither form of address shows its password."""
    urls = {"UPDATE_CHECK_DATABASE_URL": "postgres://u:secret@h/d"}, {"DATABASE_URL": "postgres://u:secret@h/d"}
    for variables in (*urls, {"DB_PASS": "secret"}):
        assert "secret" not in repr(found(variables, OWN_ROLE, tmp_path))


RAILS = [
    ("nothing to drop", "postgres://u:p@h:1/d", "postgres://u:p@h:1/d"),
    ("only Rails' parameters", "postgresql://h/d?pool=5&prepared_statements=false", "postgresql://h/d"),
    (
        "some of both",
        "postgres://u@h/d?encoding=unicode&sslmode=require&pool=25&connect_timeout=3",
        "postgres://u@h/d?sslmode=require&connect_timeout=3",
    ),
    ("a socket", "postgres:///d?host=/var/run/postgresql", "postgres:///d?host=%2Fvar%2Frun%2Fpostgresql"),
    ("blanks and signs", "postgres:///d?host=%2Fa%20b&user=a%26b", "postgres:///d?host=%2Fa%20b&user=a%26b"),
    ("an escaped password", "postgres://u:p%3F%23@h/d?pool=1", "postgres://u:p%3F%23@h/d"),
    ("an IPv6 address", "postgres://[::1]:5432/d?pool=1", "postgres://[::1]:5432/d"),
    ("PostGIS", "postgis://h/d", "postgresql://h/d"),
    ("no database", "postgres://h", "postgres://h"),
    ("libpq's own form", "host=h dbname=d pool=5", "host=h dbname=d pool=5"),
    ("another database altogether", "mysql2://h/d?pool=5", "mysql2://h/d?pool=5"),
    ("no URL", "postgres://[h/d?pool=5", "postgres://[h/d?pool=5"),
]


@pytest.mark.parametrize(("url", "expected"), [row[1:] for row in RAILS], ids=[row[0] for row in RAILS])
def test_rails_parameters(url: str, expected: str) -> None:
    """What libpq does not know is dropped, everything else stays."""
    assert expected == without_rails_parameters(url)
