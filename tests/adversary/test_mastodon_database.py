"""A hostile Mastodon user: the database and a false server cost seconds and bounded memory.

This user can write everything in the database, and run a server that only looks like PostgreSQL.
"""

from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta

import pytest

from mastodon.databases import DIRECT, OWN_ROLE, ask_in_process, populated, refusal, socket_address, tcp_address
from mastodon_update_check.domain.staff import DatabaseAnswer
from mastodon_update_check.errors import CheckError
from mastodon_update_check.mastodon.database import DatabaseBounds
from mastodon_update_check.mastodon.database_address import DatabaseAddress
from mastodon_update_check.mastodon.database_session import TOTAL_BYTES
from mastodon_update_check.mastodon.sql import read_sql
from simulators.postgres import Postgres
from simulators.postgres_front import Flood, Front, row

PATIENT = DatabaseBounds(statement=timedelta(seconds=60), total=timedelta(seconds=60))
SHORT = DatabaseBounds(connect=timedelta(seconds=2), total=timedelta(seconds=3))  # where only time ends it
MEGABYTE = 1024 * 1024
Hostile = Callable[..., list[DatabaseAnswer | str]]


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
        address = tcp_address(front.port, "x", sslmode="disable")
        assert words in refusal(address, bounds=PATIENT if words else SHORT, in_process=True)
    assert conversation.sent_bytes < 400 * MEGABYTE


@pytest.fixture
def hostile(postgres: Postgres) -> Iterator[Hostile]:
    """Return a function that lets Mastodon's user run statements, and asks through the tables and the function."""
    name = populated(postgres, "hostile", "4.7")
    with closing(postgres.connect(name)) as connection:
        connection.execute(read_sql("install").encode())

    def run(statements: str, role: str = DIRECT, bounds: DatabaseBounds = PATIENT) -> list[DatabaseAnswer | str]:
        postgres.execute(name, statements, role)
        return [_answer(socket_address(postgres, name, role), bounds) for role in (DIRECT, OWN_ROLE)]

    yield run
    postgres.drop_database(name)


def _answer(address: DatabaseAddress, bounds: DatabaseBounds) -> DatabaseAnswer | str:
    try:
        return ask_in_process(address, bounds=bounds)
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
