"""A damaged ledger in SQLite: refused with the ways out, and never overwritten or taken for an empty one."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from domain.examples import cases
from ledger.examples import INSTANCE, NOW
from ledger.files import make_ledger, opening_error
from ledger.locations import query
from ledger.steps import find_attempt, rows
from mastodon_update_check.errors import LedgerError
from mastodon_update_check.ledger.ledger import Ledger
from mastodon_update_check.ledger.sqlite import SqliteLocation

PAGE = 4096


def cut(length: int) -> Callable[[bytes], bytes]:
    """Return what keeps the first bytes only."""
    return lambda whole: whole[:length]


def overwrite(offset: int, length: int) -> Callable[[bytes], bytes]:
    """Return what flips every bit of a stretch."""
    return lambda whole: (
        whole[:offset] + bytes(byte ^ 0xFF for byte in whole[offset : offset + length]) + whole[offset + length :]
    )


@cases(
    "damage words",
    ("an empty file", lambda _: b"", "is empty, so it has lost what was sent"),
    ("a text", lambda _: b"LOCAL_DOMAIN=social.example\n" * 40, "is damaged, or not a ledger"),
    ("zeros, as after a power cut", lambda whole: bytes(len(whole)), "is damaged, or not a ledger"),
    ("half a header", cut(50), "is damaged"),
    ("one page", cut(PAGE), "is damaged"),
    ("two pages", cut(2 * PAGE), "is damaged"),
    ("cut within a page", cut(5 * PAGE + 100), "is damaged"),
    ("all but the last page", cut(-PAGE), "is damaged"),
    ("a flipped magic", overwrite(0, 16), "is damaged, or not a ledger"),
)
def test_a_damaged_file_is_refused(path: Path, damage: Callable[[bytes], bytes], words: str) -> None:
    """The error names both ways out, and nothing is overwritten."""
    path.write_bytes(damage(make_ledger(path)))
    error = opening_error(path)

    assert f"the ledger {path} {words}" in error
    assert "restore a backup in its place, or start a new one with `mastodon-update-check ledger new`" in error


def test_a_page_with_flipped_bytes_is_refused(path: Path) -> None:
    """Each page in turn: tables and indexes are all read through."""
    whole = make_ledger(path)
    for start in range(PAGE, len(whole), PAGE):
        path.write_bytes(overwrite(start, 8)(whole))
        assert "is damaged; " in opening_error(path), f"page {start // PAGE + 1}"


def test_a_message_that_its_index_lacks_is_damage(path: Path) -> None:
    """It would never be sent, and nothing else would show it."""
    make_ledger(path)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        definition = "SELECT sql FROM sqlite_schema WHERE name = 'message_open'"
        (text,) = connection.execute(definition).fetchone()
        connection.execute("PRAGMA writable_schema = ON")
        wrong = text.replace("WHERE state IN ('pending', 'failed')", "WHERE state IN ('sent')")
        connection.execute("DROP INDEX message_open")
        connection.execute(wrong)
        connection.execute("UPDATE sqlite_schema SET sql = ? WHERE name = 'message_open'", (text,))

    assert "is damaged; " in opening_error(path)


Reading = Callable[[Ledger], object]


@cases(
    "statement read",
    ("UPDATE delivery SET notice = '{'", rows),
    ('UPDATE delivery SET notice = \'{"kind": "x"}\'', rows),
    ("UPDATE delivery SET notice = '[]'", find_attempt),
    ("UPDATE message SET recipient = '[]'", find_attempt),
    ('UPDATE message SET recipient = \'{"preference": "all"}\'', find_attempt),
    ("UPDATE message SET created_at = 'yesterday'", find_attempt),
    ("UPDATE message SET due_at = '2026-10-99'", lambda ledger: ledger.next_due_at("email", NOW)),
    ("UPDATE instance SET knowledge = '[]'", Ledger.state),
    ("DELETE FROM meta", lambda ledger: ledger.fingerprint("text")),
)
def test_a_row_that_cannot_be_understood_is_damage(path: Path, statement: str, read: Reading) -> None:
    """SQLite keeps no checksums: a flipped bit in a text is found when the text is read."""
    make_ledger(path)
    with Ledger.open(SqliteLocation(path), INSTANCE) as ledger:
        query(path, statement)
        with pytest.raises(LedgerError) as caught:
            read(ledger)

    assert str(caught.value).startswith(f"the ledger {path} is damaged: a row in it cannot be read (")


def test_text_that_is_not_unicode_is_damage(path: Path) -> None:
    """The way out is named for errors that SQLite has no name for, too."""
    make_ledger(path)
    with Ledger.open(SqliteLocation(path), INSTANCE) as ledger:
        query(path, "UPDATE instance SET knowledge = CAST(x'7bff7d' AS TEXT)")
        with pytest.raises(LedgerError, match=r"cannot be used \(error: Could not decode.*restore a backup"):
            ledger.state()
