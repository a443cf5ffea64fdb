"""Time that passes for a ledger: every instant in it moves into the past, as if its clock had gone on."""

import contextlib
import json
import re
import sqlite3
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any


def let_pass(ledger: Path, moved: timedelta) -> None:
    """Move everything that the ledger holds into the past; no process may be using it."""
    with contextlib.closing(sqlite3.connect(ledger)) as connection, connection:
        connection.create_function("earlier", 1, lambda text: text and _earlier(text, moved))
        for table, column in _instants(connection):
            connection.execute(f"UPDATE {table} SET {column} = earlier({column})")  # noqa: S608 - our own names
        for name, knowledge in connection.execute("SELECT name, knowledge FROM instance").fetchall():
            changed = json.dumps(_earlier_knowledge(json.loads(knowledge), moved))
            connection.execute("UPDATE instance SET knowledge = ? WHERE name = ?", (changed, name))
        # The start of an outage is part of the identity of its notices.
        connection.create_function("stamped_earlier", 1, lambda text: _stamped_earlier(text, moved))
        connection.execute(
            "UPDATE delivery SET identity = stamped_earlier(identity), subject = stamped_earlier(subject), "
            "notice = stamped_earlier(notice)"
        )
        connection.execute("UPDATE attempt SET identities = stamped_earlier(identities)")


def _instants(connection: sqlite3.Connection) -> Iterator[tuple[str, str]]:
    for (table,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
        for column in connection.execute(f"PRAGMA table_info({table})").fetchall():
            if column[1].endswith(("_at", "_until", "_since")):
                yield table, column[1]


def _earlier(text: str, moved: timedelta) -> str:
    return (datetime.fromisoformat(text) - moved).isoformat(timespec="milliseconds")


def _stamped_earlier(text: str, moved: timedelta) -> str:
    """Move the instants inside an identity (`check/20261122T130500Z/0`) or a notice's JSON."""
    text = re.sub(r"\d{8}T\d{6}Z", lambda stamp: f"{datetime.fromisoformat(stamp[0]) - moved:%Y%m%dT%H%M%SZ}", text)
    return re.sub(r"(?<=_at\": \")[^\"]+", lambda stamp: (datetime.fromisoformat(stamp[0]) - moved).isoformat(), text)


def _earlier_knowledge(knowledge: Mapping[str, Any], moved: timedelta) -> dict[str, Any]:
    return {name: _earlier_value(name, value, moved) for name, value in knowledge.items()}


def _earlier_value(name: str, value: object, moved: timedelta) -> object:
    if isinstance(value, dict):
        return _earlier_knowledge(value, moved)
    if isinstance(value, list):
        return [_earlier_value("", each, moved) for each in value]
    return _earlier(value, moved) if isinstance(value, str) and name.endswith(("_at", "_since", "until")) else value
