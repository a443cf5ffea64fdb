"""A hostile Mastodon user: the settings, the database and a false server cost seconds and bounded memory.

This user can write Mastodon's file and everything in its database, and run a server that only looks like PostgreSQL.
"""

import os
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from mastodon.databases import DIRECT, OWN_ROLE, populated, socket_address, tcp_address, trusted_address
from mastodon_update_check.config import load_settings
from mastodon_update_check.domain.staff import DatabaseAnswer
from mastodon_update_check.errors import CheckError
from mastodon_update_check.jobs.recipients import find_logins
from mastodon_update_check.mastodon.database import DatabaseBounds, ask_first
from mastodon_update_check.mastodon.database_address import DatabaseAddress
from mastodon_update_check.mastodon.database_session import TOTAL_BYTES
from mastodon_update_check.mastodon.sql import install_script
from simulators.postgres import Postgres
from simulators.postgres_front import Flood, Front, row, silence, tls

PATIENT = DatabaseBounds(statement=timedelta(seconds=60), total=timedelta(seconds=60))
SHORT = DatabaseBounds(connect=timedelta(seconds=2), total=timedelta(seconds=3))
"""For conversations that only time ends."""
MEGABYTE = 1024 * 1024
Hostile = Callable[..., list[DatabaseAnswer | str]]


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


def ask(address: DatabaseAddress, bounds: DatabaseBounds = PATIENT) -> DatabaseAnswer:
    """Ask as the program does, within these limits."""
    began = time.monotonic()
    try:
        return ask_first([address], bounds=bounds)
    finally:
        assert time.monotonic() - began < bounds.total.total_seconds() + 20


def refusal(address: DatabaseAddress, bounds: DatabaseBounds = PATIENT) -> str:
    """Return the sentence with which asking fails."""
    with pytest.raises(CheckError) as caught:
        ask(address, bounds)
    return caught.value.detail


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
    assert refusal(own_address(tls_port, database, **files), SHORT).endswith(" did not answer in time")
    query = "&".join(f"{key}={text}" for key, text in (files | {"sslmode": "prefer"}).items())
    answer = ask(from_mastodons_file(tmp_path, DATABASE_URL=url(tls_port, database, query)))
    assert answer.verdicts
    assert answer.warnings[0].startswith(f"DATABASE_URL names files, which are not opened ({', '.join(sorted(files))})")


def test_file_that_libpq_would_write(database: str, tls_port: int, tmp_path: Path) -> None:
    """Libpq writes the session's keys into the file that the administrator names; never into Mastodon's choice."""
    keys = tmp_path / "keys"
    own = own_address(tls_port, database, password="right", sslmode="require", sslkeylogfile=str(keys))
    assert ask(own).verdicts
    assert keys.stat().st_size
    keys.unlink()
    query = f"sslmode=require&sslkeylogfile={keys}"
    assert ask(from_mastodons_file(tmp_path, DATABASE_URL=url(tls_port, database, query))).verdicts
    assert not keys.exists()


def test_environment_and_home(
    postgres: Postgres, database: str, tls_port: int, fifo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither root's PG variables nor root's files of passwords serve a login from Mastodon's file."""
    for name in ("PGSSLROOTCERT", "PGSSLCERT", "PGPASSFILE", "PGSERVICEFILE"):
        monkeypatch.setenv(name, str(fifo))
    monkeypatch.setenv("PGSERVICE", "any")
    assert ask(tcp_address(tls_port, database, sslmode="require")).verdicts
    for name in ("PGSSLROOTCERT", "PGSSLCERT", "PGPASSFILE", "PGSERVICEFILE", "PGSERVICE"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(fifo.parent))
    passwords = fifo.parent / ".pgpass"
    passwords.write_text("*:*:*:*:right\n")
    passwords.chmod(0o600)
    assert ask(own_address(postgres.port, database)).verdicts
    assert "no password supplied" in refusal(tcp_address(postgres.port, database, password=""))


def test_many_silent_addresses() -> None:
    """All addresses of a name together have one limit."""
    with Front(silence) as front:
        many = trusted_address(host=",".join(["x"] * 40), hostaddr=",".join(["127.0.0.1"] * 40), port=front.port)
        assert refusal(many, SHORT).endswith(" did not answer in time")


def test_resolver_that_hangs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The limit holds inside a C function that keeps the interpreter's lock, as libpq's name resolution does."""
    (tmp_path / "psycopg.py").write_text("import ctypes\nctypes.PyDLL(None).sleep(60)\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert refusal(tcp_address(1, "x"), SHORT).endswith(" did not answer in time")


HUGE = b'{"has_users": "' + b"x" * MEGABYTE
FLOODS: list[tuple[str, Callable[[], Flood], str]] = [
    ("rows without end", lambda: Flood(lambda: row(b"{}")), "answers with more than"),
    ("another object", lambda: Flood(lambda: row(b'{"has_users": 1, "functions": 1}')), "answers with more than"),
    ("letters that are none", lambda: Flood(lambda: row(b"\xff")), ""),
    ("a row of another type", lambda: Flood(lambda: row(b"1" * 1000), kind=1700), "answers in an unknown format"),
    ("a row that is not JSON", lambda: Flood(lambda: row(b"[" * 100_000)), "answers in an unknown format"),
    ("rows without columns", lambda: Flood(row, columns=0), "answers in an unknown format"),
    ("a value without end", lambda: Flood(iter([b"D\x7f\0\0\0\0\1\x7e\0\0\0", *[HUGE] * 10_000]).__next__), ""),
    ("a notice without end", lambda: Flood(iter([b"N\x7f\0\0\0M", *[HUGE] * 10_000]).__next__), ""),
]


@pytest.mark.parametrize(("flood", "words"), [each[1:] for each in FLOODS], ids=[each[0] for each in FLOODS])
def test_server_that_floods(flood: Callable[[], Flood], words: str) -> None:
    """The process takes no more than its memory, and ends."""
    conversation = flood()
    with Front(conversation) as front:
        assert words in refusal(tcp_address(front.port, "x", sslmode="disable"), PATIENT if words else SHORT)
    assert conversation.sent_bytes < 400 * MEGABYTE


@pytest.fixture
def hostile(postgres: Postgres) -> Iterator[Hostile]:
    """Return a function that lets Mastodon's user run statements, and asks through the tables and the function."""
    name = populated(postgres, "hostile", "4.7")
    with closing(postgres.connect(name)) as connection:
        connection.execute(install_script().encode())

    def run(statements: str, role: str = DIRECT, bounds: DatabaseBounds = PATIENT) -> list[DatabaseAnswer | str]:
        postgres.execute(name, statements, role)
        return [_answer(socket_address(postgres, name, role), bounds) for role in (DIRECT, OWN_ROLE)]

    yield run
    postgres.drop_database(name)


def _answer(address: DatabaseAddress, bounds: DatabaseBounds) -> DatabaseAnswer | str:
    try:
        return ask(address, bounds)
    except CheckError as error:
        return error.detail


CROWD = """
    INSERT INTO accounts (id, username) SELECT n, repeat('🐘', 3000) FROM generate_series(1000, 2200) AS n;
    INSERT INTO users (id, email, account_id, role_id, locale, settings)
    SELECT n, n || repeat('🐘', 3000), n, 3, repeat('🐘', 3000), '{"x": "' || repeat('🐘', 6000) || '"}'
      FROM generate_series(1000, 2200) AS n;
    UPDATE user_roles SET name = repeat('🐘', 3000)
"""
DUPLICATES = """
    ALTER TABLE users DROP CONSTRAINT users_pkey; ALTER TABLE accounts DROP CONSTRAINT accounts_pkey CASCADE;
    INSERT INTO accounts (id, username) SELECT 1, 'n' FROM generate_series(1, 3000);
    INSERT INTO users (id, email, account_id, role_id) SELECT 1, n, 1, 3 FROM generate_series(1, 3000) AS n
"""


@pytest.mark.parametrize("statements", [CROWD, DUPLICATES], ids=["letters of four bytes", "ids that repeat"])
def test_rows_are_bounded(hostile: Hostile, statements: str) -> None:
    """The number of rows and the length of every text are limited by our query, without a failure."""
    for answer in hostile(statements):
        assert isinstance(answer, DatabaseAnswer)
        assert len(answer.verdicts) == 1000
        assert len(repr(answer).encode()) < TOTAL_BYTES
        assert "more than 1000 users have a staff role: the others are ignored" in answer.warnings
        assert len(answer.warnings) <= 22


TAKEN_OVER = """
    CREATE OR REPLACE VIEW big AS SELECT repeat('🐘', 10000000) AS text;
    DROP TABLE users CASCADE;
    CREATE VIEW users AS SELECT n AS id, 3::bigint AS role_id, 1::bigint AS account_id, 'x@y.example'::text AS email,
                                '{"' || repeat('{"notification_emails.software_updates":', 1000) || '}' AS settings
                           FROM generate_series(1, 1000000000) AS n
"""
SLEEPING = """
    DROP TABLE user_roles CASCADE;
    CREATE VIEW user_roles AS SELECT 3 AS id, 'x' AS name, 1 AS permissions, pg_sleep(60)::text AS x
"""
MIGRATIONS = """
    INSERT INTO schema_migrations SELECT lpad(n::text, 14, '0') FROM generate_series(1, 20000) AS n;
    INSERT INTO schema_migrations VALUES (repeat('9', 100000)), ('20260101000000; DROP')
"""


def test_tables_that_are_views(hostile: Hostile) -> None:
    """Views without end and views that sleep end with the statement's limit, or the conversation's."""
    for statements in (SLEEPING, TAKEN_OVER):
        assert all(isinstance(answer, str) for answer in hostile(statements, bounds=SHORT))


def test_too_many_migrations(hostile: Hostile) -> None:
    """The newest 10,000 are read, and nothing that is not a version."""
    for answer in hostile(MIGRATIONS):
        assert isinstance(answer, DatabaseAnswer)
        assert answer.migrations is not None
        assert len(answer.migrations) == 10_000
        assert all(len(version) == 14 for version in answer.migrations)


FUNCTIONS = [
    ("large texts", "SELECT n::bigint, repeat('x', 1000000) FROM generate_series(1, 100000000) AS n"),
    ("a value of 900 MB", "SELECT 1::bigint, repeat('x', 900000000)"),
]


@pytest.mark.parametrize("query", [each[1] for each in FUNCTIONS], ids=[each[0] for each in FUNCTIONS])
def test_function_that_was_replaced(hostile: Hostile, query: str) -> None:
    """Our function belongs to Mastodon's user: even if they could replace it, its answer is bounded."""
    answers = hostile(
        "DROP FUNCTION mastodon_update_check.staff();"
        "CREATE FUNCTION mastodon_update_check.staff() RETURNS TABLE (id bigint, name text) LANGUAGE sql"
        f" SECURITY DEFINER AS $$ {query} $$; ALTER FUNCTION mastodon_update_check.staff() OWNER TO mastodon",
        "postgres",
        SHORT,
    )
    assert isinstance(answers[1], str)
