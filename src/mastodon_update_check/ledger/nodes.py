"""The daemons that share a ledger in PostgreSQL, each with its last heartbeat."""

from dataclasses import dataclass
from datetime import datetime

from mastodon_update_check.ledger.engine import Connection
from mastodon_update_check.ledger.instants import stamp
from mastodon_update_check.ledger.problems import reading


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One daemon of an instance."""

    host: str
    alive_at: datetime
    is_owner: bool


def beat(connection: Connection, instance: str, host: str, now: datetime) -> None:
    """Record a daemon's heartbeat."""
    connection.execute(
        "INSERT INTO node (instance, host, beat_at) VALUES (?, ?, ?) "
        "ON CONFLICT (instance, host) DO UPDATE SET beat_at = excluded.beat_at",
        (instance, host, stamp(now)),
    )


def leave(connection: Connection, instance: str, host: str) -> None:
    """Remove a daemon that has been stopped."""
    connection.execute("DELETE FROM node WHERE instance = ? AND host = ?", (instance, host))


def read_nodes(connection: Connection, instance: str, now: datetime) -> tuple[Node, ...]:
    """Return the daemons that were not stopped, whether they still run or not."""
    rows = connection.execute(
        """
        SELECT host, beat_at, EXISTS (SELECT 1 FROM owner WHERE owner.host = node.host AND until_at > :now) AS is_owner
        FROM node WHERE instance = :instance ORDER BY host
        """,
        {"instance": instance, "now": stamp(now)},
    ).fetchall()
    with reading("a heartbeat"):
        return tuple(
            Node(host=row["host"], alive_at=datetime.fromisoformat(row["beat_at"]), is_owner=bool(row["is_owner"]))
            for row in rows
        )
