"""Copy a whole ledger, also between engines."""

import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from mastodon_update_check.errors import LedgerError
from mastodon_update_check.ledger.location import Location
from mastodon_update_check.ledger.schema import KEPT_BY_MIGRATION, TABLES, migrate
from mastodon_update_check.ledger.sqlite import backup_file

if TYPE_CHECKING:
    from mastodon_update_check.ledger.engine import Connection


def copy(source: Location, target: Location) -> int:
    """Copy a ledger that is not in use into one that is missing or empty; return the number of its messages."""
    if str(source) == str(target):
        raise LedgerError(f"{source} cannot be copied to itself")
    source, target = source.patient(), target.patient()
    with closing(source.open()) as rows, owned(source):
        if not target.exists():
            target.create()
        with closing(target.open()) as copies, owned(target), rows.recording() as read, copies.recording() as write:
            for table in set(TABLES) - {"meta"}:
                if write.execute(f"SELECT 1 AS one FROM {table} LIMIT 1").fetchone() is not None:  # noqa: S608 - ours
                    raise LedgerError(f"the ledger {target} is not empty: name one that is, or a new one")
            return _copy_rows(read, write)


@contextmanager
def owned(location: Location) -> Iterator[None]:
    """Own a ledger for the duration of the block. Raises `LedgerError` when another process owns it."""
    ownership = location.ownership(socket.gethostname())
    if not ownership.acquire(is_daemon=False):
        owner = ownership.owner()
        where = f" on {owner.host}" if owner is not None and location.is_shared else ""
        raise LedgerError(f"the ledger {location} is in use by the daemon{where}: stop it first")
    try:
        yield
    finally:
        ownership.release()


def back_up(source: Location, target: Path) -> None:
    """Copy a ledger to a new file of SQLite, as it is at one moment, while it may be in use."""
    with closing(source.patient().open()) as session, session.reading() as rows, backup_file(target) as connection:
        migrate(connection)
        with connection:
            connection.execute("BEGIN")
            _copy_rows(rows, connection)


def _copy_rows(source: "Connection", target: "Connection") -> int:
    """Copy every row of every table, but those of `meta` that belong to the schema; return the number of messages."""
    target.execute("DELETE FROM meta WHERE key = 'salt'")
    messages = 0
    for table in TABLES:
        found = source.execute(f"SELECT * FROM {table}").fetchall()  # noqa: S608 - our own constant
        rows = [dict(row) for row in found if table != "meta" or row["key"] not in KEPT_BY_MIGRATION]
        if rows:
            names, marks = ", ".join(rows[0]), ", ".join(f":{name}" for name in rows[0])
            target.executemany(f"INSERT INTO {table} ({names}) VALUES ({marks})", rows)  # noqa: S608 - our own names
        messages += len(rows) if table == "message" else 0
    return messages
