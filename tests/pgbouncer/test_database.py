"""Through a real PgBouncer in transaction mode, as Mastodon's guide has it: `make pgbouncer`, not `make test`.

The pool has one connection to the server, so that everything a client leaves behind meets the next one.
"""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta
from typing import Any

import psycopg
import pytest

from mastodon.databases import DIRECT, populated, socket_address, tcp_address
from mastodon_update_check.errors import CheckError
from mastodon_update_check.mastodon.database import BOUNDS, DatabaseBounds, ask_first
from simulators.http_server import unused_port
from simulators.postgres import NOBODY, Postgres


@pytest.fixture(scope="module")
def database(postgres: Postgres) -> str:
    """Return a database of the newest Mastodon."""
    return populated(postgres, "pooled", "4.7")


@pytest.fixture(scope="module")
def pooler(postgres: Postgres) -> Iterator[int]:
    """Return the port of a PgBouncer before the server; it logs in there as Mastodon does."""
    program = shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")
    assert program is not None, "PgBouncer is not installed"
    directory, port = postgres.directory / "pooler", unused_port()
    directory.mkdir()
    settings = directory / "pgbouncer.ini"
    login = f"host={postgres.directory} port={postgres.port} user=mastodon"
    settings.write_text(
        f"[databases]\n* = {login} pool_size=1\n[pgbouncer]\npool_mode = transaction\nauth_type = any\n"
        f"listen_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\nlogfile = {directory}/log\n"
    )
    identity: dict[str, Any] = {}
    if os.getuid() == 0:  # PgBouncer refuses to be run by root, too
        identity = {"user": NOBODY, "group": NOBODY}
        os.chown(directory, NOBODY, NOBODY)
    process = subprocess.Popen([program, "-q", settings], cwd=directory, stderr=subprocess.DEVNULL, **identity)
    try:
        _wait(port)
        yield port
    finally:
        process.terminate()
        process.wait(10)


def _client(port: int, database: str) -> psycopg.Connection[tuple[object, ...]]:
    return psycopg.connect(host="127.0.0.1", port=port, dbname=database, user=DIRECT, autocommit=True)


def _wait(port: int) -> None:
    end = time.monotonic() + 10
    while True:
        try:
            _client(port, "postgres").close()
        except psycopg.OperationalError:
            if time.monotonic() > end:
                raise
            time.sleep(0.05)
        else:
            return


def test_same_answer_as_without(postgres: Postgres, database: str, pooler: int) -> None:
    """Four questions one after the other, each on a connection that others have used, and each the answer."""
    expected = ask_first([socket_address(postgres, database)]).verdicts
    for _ in range(4):
        assert ask_first([tcp_address(pooler, database)]).verdicts == expected


def test_many_at_once(postgres: Postgres, database: str, pooler: int) -> None:
    """Questions that share one connection to the server wait for each other and do not mix."""
    expected = ask_first([socket_address(postgres, database)]).verdicts
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: ask_first([tcp_address(pooler, database)]).verdicts, range(12)))
    assert answers == [expected] * 12


def test_nothing_is_left_behind(database: str, pooler: int) -> None:
    """The next client of the same connection has its own time-outs and may write."""
    ask_first([tcp_address(pooler, database)])
    with closing(_client(pooler, database)) as client:
        shown = [
            client.execute(f"SHOW {name}".encode()).fetchone()
            for name in ("statement_timeout", "lock_timeout", "transaction_read_only")
        ]
        prepared = client.execute("SELECT count(*) FROM pg_prepared_statements").fetchone()
    assert (shown, prepared) == ([("0",), ("0",), ("off",)], (0,))


def test_question_that_fails_leaves_nothing_behind(postgres: Postgres, database: str, pooler: int) -> None:
    """After a question that a lock has ended, the next client finds no transaction that failed."""
    bounds = DatabaseBounds(lock=timedelta(milliseconds=100))
    with closing(postgres.connect(database, DIRECT)) as migration:
        migration.execute("BEGIN; LOCK TABLE users IN ACCESS EXCLUSIVE MODE")
        with pytest.raises(CheckError, match="keeps one of Mastodon's tables locked"):
            ask_first([tcp_address(pooler, database)], bounds=bounds)
        migration.execute("COMMIT")
    assert ask_first([tcp_address(pooler, database)]).verdicts


def test_prepared_statements_of_others(postgres: Postgres, database: str, pooler: int) -> None:
    """A client that keeps statements on the connection is not a problem."""
    expected = ask_first([socket_address(postgres, database)]).verdicts
    with closing(_client(pooler, database)) as client:
        client.execute("SELECT 1", prepare=True)
        assert ask_first([tcp_address(pooler, database)]).verdicts == expected


def test_queue(database: str, pooler: int) -> None:
    """When every connection to the server is taken, the login works and no answer comes: that ends too."""
    bounds = DatabaseBounds(connect=BOUNDS.connect, total=timedelta(seconds=1))
    with closing(_client(pooler, database)) as client:
        client.execute("BEGIN; SELECT")
        with pytest.raises(CheckError) as caught:
            ask_first([tcp_address(pooler, database)], bounds=bounds)
    assert caught.value.detail == f"PostgreSQL at 127.0.0.1:{pooler} did not answer in time"


def test_startup_options_are_refused(database: str, pooler: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """PGOPTIONS would be refused here; it does not get here."""
    monkeypatch.setenv("PGOPTIONS", "-c statement_timeout=1")
    with pytest.raises(psycopg.OperationalError, match="unsupported startup parameter"):
        _client(pooler, database)
    assert ask_first([tcp_address(pooler, database)]).verdicts


def test_database_that_is_absent(pooler: int) -> None:
    """The server's error to PgBouncer becomes a sentence."""
    with pytest.raises(CheckError) as caught:
        ask_first([tcp_address(pooler, "mastodon_production")])
    wrong = (
        'cannot be used as the role mastodon: database "mastodon_production" does not exist; check the DB_ variables'
    )
    assert caught.value.detail == f"PostgreSQL at 127.0.0.1:{pooler} {wrong}"
