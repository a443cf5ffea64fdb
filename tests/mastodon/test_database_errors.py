"""Texts and codes of PostgreSQL and PgBouncer as sentences; those that a test server gives are in other files."""

import psycopg

from domain.examples import cases
from mastodon_update_check.mastodon.database_session import explain_query
from mastodon_update_check.postgres.login import Login

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
