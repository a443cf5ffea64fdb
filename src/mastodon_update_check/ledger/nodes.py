"""Several daemons on one ledger: which of them are at work, and whose turn it is to check.

Every function runs inside a write transaction of the caller. A turn belongs to a node until an instant by which it
must have done something: begun its next check or, in the middle of one, renewed its word. Whoever finds that instant
past takes the turn over. Nodes whose settings differ do not share turns: each plans for its own sinks.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import uuid4

from mastodon_update_check.domain.outbox import LEASE
from mastodon_update_check.ledger.engine import Connection
from mastodon_update_check.ledger.failures import reading
from mastodon_update_check.ledger.instants import read_stamp, stamp


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One daemon of an instance."""

    host: str
    beat_at: datetime
    has_turn: bool
    """Whether it is its turn to check; it may have died since."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """The right to check, in the hands of one node."""

    token: str
    instance: str
    settings: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """Another node's turn."""

    host: str
    until: datetime


def beat(connection: Connection, instance: str, host: str, now: datetime) -> None:
    """Leave a daemon's sign of life."""
    connection.execute(
        "INSERT INTO instance (name, knowledge, beat_at) VALUES (?, '{}', ?) "
        "ON CONFLICT (name) DO UPDATE SET beat_at = excluded.beat_at",
        (instance, stamp(now)),
    )
    connection.execute(
        "INSERT INTO node (instance, host, beat_at) VALUES (?, ?, ?) "
        "ON CONFLICT (instance, host) DO UPDATE SET beat_at = excluded.beat_at",
        (instance, host, stamp(now)),
    )


def leave(connection: Connection, instance: str, host: str) -> None:
    """Take a daemon's sign of life back: it has been stopped."""
    # In the order of `beat`: locks that are taken in one order do not meet.
    connection.execute(
        "UPDATE instance SET beat_at = (SELECT max(beat_at) FROM node WHERE node.instance = ? AND host <> ?) "
        "WHERE name = ?",
        (instance, host, instance),
    )
    connection.execute("DELETE FROM node WHERE instance = ? AND host = ?", (instance, host))


def last_beat_at(connection: Connection, instance: str, host: str) -> datetime | None:
    """Return when the daemon on a host, or any daemon, last gave a sign of life."""
    of_host = "SELECT beat_at FROM node WHERE instance = :instance AND host = :host"
    of_any = "SELECT beat_at FROM instance WHERE name = :instance"
    row = connection.execute(of_host if host else of_any, {"instance": instance, "host": host}).fetchone()
    return None if row is None else read_stamp(row["beat_at"])


def read_nodes(connection: Connection, instance: str, now: datetime) -> tuple[Node, ...]:
    """Return the daemons that were not stopped, whether they still live or not."""
    rows = connection.execute(
        """
        SELECT host, beat_at, EXISTS (
            SELECT 1 FROM turn WHERE turn.instance = node.instance AND turn.host = node.host AND until_at > :now
        ) AS has_turn
        FROM node WHERE instance = :instance ORDER BY host
        """,
        {"instance": instance, "now": stamp(now)},
    ).fetchall()
    with reading("a sign of life"):
        return tuple(
            Node(host=row["host"], beat_at=datetime.fromisoformat(row["beat_at"]), has_turn=bool(row["has_turn"]))
            for row in rows
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Bid:
    """What a node asks for when it wants to check."""

    instance: str
    settings: str
    """Fingerprint of the settings that a check depends on."""
    host: str
    former: str
    """The token of its last turn; empty when it has just been started: then it goes on for its predecessor."""
    now: datetime
    longest: timedelta
    """How far ahead an owner's instant may be; one further ahead was written by a wrong clock."""


def take_turn(connection: Connection, bid: Bid, now: datetime) -> Turn | Taken:
    """Take the turn to check, if it is this node's own, nobody's, or its owner's time is over."""
    turn = Turn(token=uuid4().hex, instance=bid.instance, settings=bid.settings)
    taken = connection.execute(
        """
        INSERT INTO turn (instance, settings, host, token, checking, until_at)
        VALUES (:instance, :settings, :host, :token, 1, :until)
        ON CONFLICT (instance, settings) DO UPDATE
        SET host = excluded.host, token = excluded.token, checking = 1, until_at = excluded.until_at
        WHERE turn.until_at <= :now OR turn.until_at > :longest
           OR (turn.checking = 0 AND (turn.token = :former OR (:former = '' AND turn.host = excluded.host)))
        """,
        {
            "instance": bid.instance,
            "settings": bid.settings,
            "host": bid.host,
            "former": bid.former,
            "token": turn.token,
            "until": stamp(now + LEASE),
            "now": stamp(now),
            "longest": stamp(now + bid.longest),
        },
    ).rowcount
    if taken:
        return turn
    row = connection.execute(
        "SELECT host, until_at FROM turn WHERE instance = ? AND settings = ?", (bid.instance, bid.settings)
    ).fetchone()
    return Taken(host=row["host"], until=read_stamp(row["until_at"]) or now)


def keep_turn(connection: Connection, turn: Turn, until: datetime, *, checking: bool) -> bool:
    """Give one's word for another while; False when somebody else has taken the turn over."""
    return bool(
        connection.execute(
            "UPDATE turn SET until_at = ?, checking = ? WHERE instance = ? AND settings = ? AND token = ?",
            (stamp(until), int(checking), turn.instance, turn.settings, turn.token),
        ).rowcount
    )
