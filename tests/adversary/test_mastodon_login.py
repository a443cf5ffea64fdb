"""A hostile login to the database in Mastodon's file: libpq opens and writes no file for it, and it ends in time."""

import os
import ssl
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from mastodon.databases import DIRECT, ask_in_process, populated, refusal, tcp_address, trusted_address
from mastodon_update_check.config import load_settings
from mastodon_update_check.jobs.recipients import find_logins
from mastodon_update_check.mastodon.database import DatabaseBounds
from mastodon_update_check.mastodon.database_address import DatabaseAddress
from simulators.postgres import Postgres
from simulators.postgres_front import Front, silence, tls

PATIENT = DatabaseBounds(statement=timedelta(seconds=60), total=timedelta(seconds=60))


@pytest.fixture(scope="module")
def database(postgres: Postgres) -> str:
    """Return a database of the newest version."""
    return populated(postgres, "attacked", "4.7")


@pytest.fixture
def tls_port(postgres: Postgres, server_tls: ssl.SSLContext) -> Iterator[int]:
    """Return the port of a front of PostgreSQL that speaks TLS."""
    with Front(tls(server_tls, postgres.port)) as front:
        yield front.port


@pytest.fixture
def fifo(tmp_path: Path) -> Path:
    """Return a file that blocks each process that opens it to read."""
    path = tmp_path / "fifo"
    os.mkfifo(path)
    return path


def from_mastodons_file(home: Path, **variables: str) -> DatabaseAddress:
    """Return the login that these variables of Mastodon's file stand for."""
    own, theirs = home / "own.env", home / "mastodon.env"
    own.touch()
    theirs.write_text("".join(f"{name}='{text}'\n" for name, text in variables.items()))
    files = {"UPDATE_CHECK_CONFIG": str(own), "UPDATE_CHECK_MASTODON_ENV_FILE": str(theirs)}
    (address,) = find_logins(load_settings({"HOME": str(home), **files}), "root")
    return address


def own_address(port: int, database: str, **parameters: str) -> DatabaseAddress:
    """Return the address of a database on a port of loopback as the administrator gives it."""
    return trusted_address(host="127.0.0.1", port=port, dbname=database, user=DIRECT, **parameters)


def url(port: int, database: str, query: str) -> str:
    """Return the URL of a database on a port of loopback."""
    return f"postgres://{DIRECT}:right@127.0.0.1:{port}/{database}?{query}"


@pytest.mark.parametrize("name", ["sslrootcert", "sslcert", "sslcrl"])
def test_file_that_libpq_would_open(
    database: str, tls_port: int, authority_file: Path, fifo: Path, tmp_path: Path, name: str
) -> None:
    """Libpq opens the file when the administrator names it, and waits; it does not when Mastodon's file does."""
    files = {name: str(fifo)} | ({"sslrootcert": str(authority_file)} if name == "sslcrl" else {})
    own = own_address(tls_port, database, **files)
    assert refusal(own, in_process=True).endswith(" did not answer in time")
    query = "&".join(f"{key}={text}" for key, text in (files | {"sslmode": "prefer"}).items())
    answer = ask_in_process(from_mastodons_file(tmp_path, DATABASE_URL=url(tls_port, database, query)), bounds=PATIENT)
    assert answer.verdicts
    assert answer.warnings[0].startswith(f"DATABASE_URL names files, which are not opened ({', '.join(sorted(files))})")


def test_file_that_libpq_would_write(database: str, tls_port: int, tmp_path: Path) -> None:
    """Libpq writes the session's keys into the file that the administrator names; never into Mastodon's choice."""
    keys = tmp_path / "keys"
    own = own_address(tls_port, database, password="right", sslmode="require", sslkeylogfile=str(keys))
    assert ask_in_process(own, bounds=PATIENT).verdicts
    assert keys.stat().st_size
    keys.unlink()
    query = f"sslmode=require&sslkeylogfile={keys}"
    assert ask_in_process(
        from_mastodons_file(tmp_path, DATABASE_URL=url(tls_port, database, query)), bounds=PATIENT
    ).verdicts
    assert not keys.exists()


def test_environment_and_home(
    postgres: Postgres, database: str, tls_port: int, fifo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither root's PG variables nor root's files of passwords serve a login from Mastodon's file."""
    for name in ("PGSSLROOTCERT", "PGSSLCERT", "PGPASSFILE", "PGSERVICEFILE"):
        monkeypatch.setenv(name, str(fifo))
    monkeypatch.setenv("PGSERVICE", "any")
    assert ask_in_process(tcp_address(tls_port, database, sslmode="require"), bounds=PATIENT).verdicts
    for name in ("PGSSLROOTCERT", "PGSSLCERT", "PGPASSFILE", "PGSERVICEFILE", "PGSERVICE"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(fifo.parent))
    passwords = fifo.parent / ".pgpass"
    passwords.write_text("*:*:*:*:right\n")
    passwords.chmod(0o600)
    assert ask_in_process(own_address(postgres.port, database), bounds=PATIENT).verdicts
    assert "no password supplied" in refusal(tcp_address(postgres.port, database, password=""), in_process=True)


def test_many_silent_addresses() -> None:
    """All addresses of a name together have one limit."""
    with Front(silence) as front:
        many = trusted_address(host=",".join(["x"] * 40), hostaddr=",".join(["127.0.0.1"] * 40), port=front.port)
        assert refusal(many, in_process=True).endswith(" did not answer in time")


HANGING_LIBRARY = """
import ctypes, pathlib, sys

sys.path.remove(str(pathlib.Path(__file__).parent))
del sys.modules["psycopg"]
import psycopg  # the real one

psycopg.connect = lambda *_, **__: ctypes.PyDLL(None).sleep(60)
"""


def test_resolver_that_hangs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The limit holds inside a C function that keeps the interpreter's lock, as libpq's name resolution does."""
    (tmp_path / "psycopg.py").write_text(HANGING_LIBRARY)
    monkeypatch.syspath_prepend(tmp_path)
    assert refusal(tcp_address(1, "x"), in_process=True).endswith(" did not answer in time")
