"""The logins that are tried, their order, and the reduction of what Mastodon's file says."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from domain.examples import cases
from mastodon_update_check.config import load_settings
from mastodon_update_check.errors import CheckError
from mastodon_update_check.jobs.recipients import find_logins
from mastodon_update_check.mastodon.database import ask_first
from mastodon_update_check.mastodon.database_address import DatabaseAddress

OWN_ROLE = "_mastodon_update_check"
NOTHING = {"UPDATE_CHECK_CONFIG": "/nowhere", "UPDATE_CHECK_MASTODON_ENV_FILE": "/nowhere"}


def found(variables: dict[str, str], os_user: str, home: Path) -> Sequence[DatabaseAddress]:
    """Return the logins for these variables."""
    (home / "empty.env").touch()
    files = {name: str(home / "empty.env") for name in NOTHING}
    return find_logins(load_settings({"HOME": str(home)} | files | variables), os_user)


MASTODONS = {
    "host": "localhost",
    "port": "5432",
    "dbname": "mastodon_production",
    "user": "mastodon",
    "sslmode": "prefer",
}


def test_db_variables(tmp_path: Path) -> None:
    """Each of them is taken; Mastodon's own defaults stand for the rest, and no password is shown."""
    assert found({}, "mastodon", tmp_path) == (DatabaseAddress(origin="the DB_ variables", parameters=MASTODONS),)
    urls = {"UPDATE_CHECK_DATABASE_URL": "postgres://u:secret@h/d"}, {"DATABASE_URL": "postgres://u:secret@h/d"}
    for secret in (*urls, {"DB_PASS": "secret"}):
        assert "secret" not in repr(found(secret, OWN_ROLE, tmp_path))
    values = ("db.example", "6432", "mammoth", "tusk", "a b'\\c", "verify-full")
    names = ("HOST", "PORT", "NAME", "USER", "PASS", "SSLMODE")
    variables = dict(zip((f"DB_{name}" for name in names), values, strict=True))
    expected = dict(zip(("host", "port", "dbname", "user", "password", "sslmode"), values, strict=True))
    assert found(variables, "x", tmp_path) == (DatabaseAddress(origin="the DB_ variables", parameters=expected),)


def test_own_role_comes_first(tmp_path: Path) -> None:
    """As the system user of its name, our own role is tried first, without Mastodon's password."""
    variables = {"DB_HOST": "/run/postgresql", "DB_PORT": "5433", "DB_NAME": "mammoth", "DB_PASS": "secret"}
    own, next_one = found(variables, OWN_ROLE, tmp_path)
    expected = MASTODONS | {"host": "/run/postgresql", "port": "5433", "dbname": "mammoth", "user": OWN_ROLE}
    assert own == DatabaseAddress(origin="the DB_ variables", parameters=expected)
    assert next_one.parameters["password"] == "secret"


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "::1"])
def test_own_role_takes_the_socket_of_this_host(host: str, tmp_path: Path) -> None:
    """Peer login works over a socket alone; Mastodon's login goes where it is sent."""
    own, next_one = found({"DB_HOST": host}, OWN_ROLE, tmp_path)
    assert (own.parameters["host"], next_one.parameters["host"]) == ("/var/run/postgresql", host)


def test_mastodons_url(tmp_path: Path) -> None:
    """DATABASE_URL overrides the DB_ variables, as in Rails; our own role comes before it."""
    variables = {"DATABASE_URL": "postgres://u:p%40@h/d?pool=5", "DB_SSLMODE": "require", "DB_PASS": "secret"}
    parameters = {"host": "h", "port": "5432", "dbname": "d", "user": "u", "password": "p@", "sslmode": "require"}
    expected = DatabaseAddress(origin="DATABASE_URL", parameters=parameters)
    assert found(variables, "mastodon", tmp_path) == (expected,)
    assert found(variables, OWN_ROLE, tmp_path)[1] == expected


def test_own_role_goes_where_mastodons_url_leads(tmp_path: Path) -> None:
    """Else it would ask the database of another Mastodon on this host."""
    variables = {"DATABASE_URL": "postgres://u:p@localhost:5433/second?pool=5&sslmode=require", "DB_NAME": "first"}
    own, _ = found(variables, OWN_ROLE, tmp_path)
    place = {"host": "/var/run/postgresql", "port": "5433", "dbname": "second", "sslmode": "require"}
    expected = {**place, "user": OWN_ROLE}
    assert own == DatabaseAddress(origin="DATABASE_URL", parameters=expected)
    elsewhere, _ = found({"DATABASE_URL": "postgres://u:p@db.example/second"}, OWN_ROLE, tmp_path)
    assert elsewhere.parameters["host"] == "db.example"
    assert [one.origin for one in found({"DATABASE_URL": "mysql2://h/d"}, OWN_ROLE, tmp_path)] == ["DATABASE_URL"]


def test_blank_variables_are_libpqs_defaults(tmp_path: Path) -> None:
    """A blank host is the socket; a blank name or user is left to libpq, except for our own role."""
    variables = {"DB_HOST": "", "DB_NAME": " ", "DB_USER": ""}
    own, next_one = found(variables, OWN_ROLE, tmp_path)
    place = {"host": "/var/run/postgresql", "port": "5432", "sslmode": "prefer"}
    assert next_one.parameters == place
    assert own.parameters == place | {"dbname": "mastodon", "user": OWN_ROLE}
    own, _ = found(variables | {"DB_USER": "tusk"}, OWN_ROLE, tmp_path)
    assert own.parameters["dbname"] == "tusk"


def test_our_own_url(tmp_path: Path) -> None:
    """The administrator's login is not filtered, and no other is tried."""
    variables = {
        "UPDATE_CHECK_DATABASE_URL": "host=h pool=5",
        "DATABASE_URL": "postgres://u:p@h/d",
        "DB_HOST": "x",
    }
    expected = (DatabaseAddress(origin="UPDATE_CHECK_DATABASE_URL", conninfo="host=h pool=5"),)
    assert found(variables, OWN_ROLE, tmp_path) == expected


@cases(
    "url expected",
    ("nothing to drop", "postgres://u:p@h:1/d", {"user": "u", "password": "p", "host": "h", "port": "1"}),
    ("Rails' parameters", "postgresql://h/d?pool=5&prepared_statements=false", {"host": "h", "dbname": "d"}),
    ("some of both", "postgres://u@h/d?encoding=unicode&sslmode=require&pool=25", {"user": "u", "sslmode": "require"}),
    ("a socket", "postgres:///d?host=/run/postgresql", {"host": "/run/postgresql", "dbname": "d"}),
    ("a socket as the host", "postgres://u@%2Frun%2Fpostgresql/d", {"host": "/run/postgresql", "user": "u"}),
    ("escaped characters", "postgres:///d?host=%2Fa%20b&user=a%26b", {"host": "/a b", "user": "a&b"}),
    ("an escaped password", "postgres://u:p%3F%23@h/d?pool=1", {"password": "p?#"}),
    ("an IPv6 address", "postgres://[::1]:5433/d", {"host": "::1", "port": "5433"}),
    ("PostGIS", "postgis://h/d", {"host": "h"}),
    ("no database", "postgres://h", {"host": "h", "dbname": "mastodon_production"}),
    ("a connection string as the database", "postgres://h/sslkey%3D%2Fx", {"dbname": "sslkey=/x"}),
)
def test_urls(url: str, expected: dict[str, str], tmp_path: Path) -> None:
    """A URL is read as Rails reads it, and nothing but plain parameters is taken."""
    (address,) = found({"DATABASE_URL": url}, "mastodon", tmp_path)
    assert (address.problem, address.conninfo) == ("", "")
    assert expected.items() <= address.parameters.items()
    assert address.parameters.keys() - {"password"} == MASTODONS.keys()


def test_files_are_ignored(tmp_path: Path) -> None:
    """A parameter that names a file is dropped and reported; a dropped authority does not weaken the check."""
    query = "sslmode=require&sslcert=/c&sslkey=e:/x&sslkeylogfile=/l&service=s&options=-cx&sslrootcert=/r&passfile=/p"
    (address,) = found({"DATABASE_URL": f"postgres://u:p@h/d?{query}"}, "mastodon", tmp_path)
    expected = {"host": "h", "port": "5432", "dbname": "d", "user": "u", "password": "p", "sslmode": "verify-ca"}
    assert address.parameters == expected
    assert address.ignored == ("passfile", "service", "sslcert", "sslkey", "sslkeylogfile", "sslrootcert")


@cases(
    "variables words",
    ("libpq's own form", {"DATABASE_URL": "host=h dbname=d sslkey=evil:x"}, "is not a URL as Rails reads it"),
    ("another database altogether", {"DATABASE_URL": "mysql2://h/d?pool=5"}, "is not a URL as Rails reads it"),
    ("a password with a slash", {"DATABASE_URL": "postgres://u:secret/x@h/d"}, "has a password whose special"),
    ("two hosts", {"DATABASE_URL": "postgres://a,b/d"}, ": expected one host, got a list"),
    ("hosts in the query", {"DATABASE_URL": "postgres:///d?host=a,b"}, ": expected one host, got a list"),
    ("a list of hosts", {"DB_HOST": ",".join(["192.0.2.1"] * 2000)}, ": expected one host, got a list"),
    ("a socket and a host", {"DB_HOST": "/x,evil.example"}, ": expected one host, got a list"),
    ("an abstract socket", {"DB_HOST": "@x"}, ": expected a host name"),
    ("ports in the query", {"DATABASE_URL": "postgres://h/d?port=1,2"}, ": expected a port number"),
    ("an unknown mode", {"DATABASE_URL": "postgres://h/d?sslmode=x"}, ": expected an sslmode of"),
    ("a NUL", {"DATABASE_URL": "postgres://h/d%00"}, "holds control characters"),
)
def test_values_that_cannot_be_used(variables: dict[str, str], words: str, tmp_path: Path) -> None:
    """Each is a sentence that repeats nothing of the value, and ends in the one error of the question."""
    (address,) = found(variables, OWN_ROLE, tmp_path)
    assert address.problem.startswith(("DATABASE_URL", "the DB_ variables"))
    assert words in address.problem
    assert "secret" not in address.problem
    with pytest.raises(CheckError) as caught:
        ask_first([address])
    assert caught.value.detail == address.problem
