"""The ledger's tables, and the steps that lead from one version of them to the next.

`message` is the unit of attempt and retry; `delivery` is one notice for one recipient. Instants are ISO 8601 in UTC
with milliseconds, so that they sort as text. `:random` is a random word.
"""

from collections.abc import Sequence
from secrets import token_hex
from typing import TYPE_CHECKING

from mastodon_update_check.errors import LedgerError

if TYPE_CHECKING:
    import sqlite3

APPLICATION_ID = 0x4D555043
"""Marks the file as ours ("MUPC")."""

MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        """
        CREATE TABLE instance (
            name      TEXT PRIMARY KEY,
            knowledge TEXT NOT NULL,            -- JSON of core.knowledge.ServerState
            beat_at   TEXT                      -- not used since schema 2
        ) STRICT
        """,
        """
        CREATE TABLE message (
            id             TEXT PRIMARY KEY,    -- a hash of instance, recipient key and identities
            instance       TEXT NOT NULL,
            sink           TEXT NOT NULL,
            recipient_key  TEXT NOT NULL,
            recipient      TEXT NOT NULL,       -- JSON of core.recipients.Recipient, as last planned
            is_urgent      INTEGER NOT NULL,
            created_at     TEXT NOT NULL,
            state          TEXT NOT NULL CHECK (state IN ('pending', 'sent', 'failed', 'cancelled')),
            due_at         TEXT,                -- NULL: never again
            claim          TEXT,                -- not used since schema 3
            lease_until    TEXT,
            attempts       INTEGER NOT NULL DEFAULT 0,
            failures       INTEGER NOT NULL DEFAULT 0,  -- in a row since it was planned
            tried_address  TEXT NOT NULL DEFAULT '',
            tried_settings TEXT NOT NULL DEFAULT '',
            settled_at     TEXT
        ) STRICT
        """,
        """
        CREATE INDEX message_open ON message (instance, sink, is_urgent DESC, due_at, created_at, id)
        WHERE state IN ('pending', 'failed') -- in the order in which they are claimed
        """,
        "CREATE INDEX message_sent ON message (instance, sink, recipient_key, settled_at) WHERE state = 'sent'",
        """
        CREATE TABLE delivery (
            instance      TEXT NOT NULL,
            identity      TEXT NOT NULL,        -- core.notices.identity
            recipient_key TEXT NOT NULL,
            subject       TEXT NOT NULL,        -- core.notices.subject
            sink          TEXT NOT NULL,
            address       TEXT NOT NULL,
            notice        TEXT NOT NULL,        -- JSON of core.notices
            state         TEXT NOT NULL
                          CHECK (state IN ('pending', 'sent', 'failed', 'cancelled', 'superseded')),
            reason        TEXT NOT NULL,        -- core.reasons.Reason of the last decision
            message_id    TEXT NOT NULL REFERENCES message (id),
            planned_at    TEXT NOT NULL,
            settled_at    TEXT,
            PRIMARY KEY (instance, identity, recipient_key)
        ) STRICT, WITHOUT ROWID
        """,
        "CREATE INDEX delivery_message ON delivery (message_id)",
        "CREATE INDEX delivery_subject ON delivery (instance, subject)",
        """
        CREATE INDEX delivery_given_up ON delivery (settled_at) WHERE state IN ('cancelled', 'superseded')
        """,
        """
        CREATE INDEX delivery_urgent ON delivery (instance, subject)
        WHERE state = 'sent' AND identity LIKE 'update/%/urgent'
        """,
        "CREATE INDEX message_given_up ON message (settled_at) WHERE state = 'cancelled'",
        "CREATE INDEX delivery_open ON delivery (instance, state) WHERE state IN ('pending', 'failed')",
        """
        CREATE TABLE attempt (
            message_id TEXT NOT NULL REFERENCES message (id),
            number     INTEGER NOT NULL,        -- from 1
            started_at TEXT NOT NULL,
            ended_at   TEXT,
            outcome    TEXT CHECK (outcome IN ('sent', 'deferred', 'failed', 'unknown')),
            reply      TEXT NOT NULL DEFAULT '',
            identities TEXT NOT NULL,           -- JSON: the rows that this attempt carried
            PRIMARY KEY (message_id, number)
        ) STRICT, WITHOUT ROWID
        """,
        """
        CREATE TABLE sink (
            instance      TEXT NOT NULL,
            name          TEXT NOT NULL,
            settings      TEXT NOT NULL,        -- fingerprint of its settings at the last attempt
            failures      INTEGER NOT NULL DEFAULT 0,
            failing_since TEXT,
            retry_at      TEXT,                 -- the sink as a whole backs off until then
            stopped_key   TEXT,                 -- the recipient that asked never to be tried again
            reply         TEXT NOT NULL DEFAULT '',
            sent_at       TEXT,
            PRIMARY KEY (instance, name)
        ) STRICT, WITHOUT ROWID
        """,
        "CREATE INDEX attempt_ended ON attempt (ended_at)",
        # Statistics of a ledger after years. Without them SQLite assumes ten rows for each instance, and reads every
        # row that was ever sent at each check.
        "ANALYZE",
        """
        INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
            ('delivery', 'delivery', '100000 100000 5 1'),
            ('delivery', 'delivery_subject', '100000 100000 5'),
            ('delivery', 'delivery_message', '100000 2'),
            ('delivery', 'delivery_open', '10 10 5'),
            ('delivery', 'delivery_given_up', '10 1'),
            ('delivery', 'delivery_urgent', '1000 1000 5'),
            ('message', 'sqlite_autoindex_message_1', '100000 1'),
            ('message', 'message_sent', '100000 100000 50000 1000 1'),
            ('message', 'message_open', '10 10 5 3 1 1 1'),
            ('message', 'message_given_up', '10 1'),
            ('attempt', 'attempt', '10000 2 1'),
            ('attempt', 'attempt_ended', '10000 1')
        """,
        "CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT",
        "INSERT INTO meta VALUES ('salt', :random)",
    ),
    (
        """
        CREATE TABLE node (
            instance TEXT NOT NULL,
            host     TEXT NOT NULL,
            beat_at  TEXT NOT NULL,             -- last heartbeat of the daemon there; no row once it was stopped
            PRIMARY KEY (instance, host)
        ) STRICT, WITHOUT ROWID
        """,
        """
        CREATE TABLE turn (                     -- whose turn it is to check
            instance TEXT NOT NULL,
            settings TEXT NOT NULL,             -- fingerprint of the settings that a check depends on
            host     TEXT NOT NULL,
            token    TEXT NOT NULL,
            checking INTEGER NOT NULL,          -- whether it is in the middle of a check
            until_at TEXT NOT NULL,             -- by then it has begun its next check, or renewed its word in one
            PRIMARY KEY (instance, settings)
        ) STRICT, WITHOUT ROWID
        """,
    ),
    (
        # One owner plans and delivers: claims, leases of messages and turns to check are gone.
        "ALTER TABLE message DROP COLUMN claim",
        "ALTER TABLE message DROP COLUMN lease_until",
        "DROP TABLE turn",
        "CREATE INDEX attempt_open ON attempt (message_id) WHERE outcome IS NULL",
        """
        CREATE TABLE owner (                    -- the lease on a ledger in PostgreSQL; empty in a file
            id        INTEGER PRIMARY KEY CHECK (id = 1),
            token     TEXT NOT NULL,            -- verified by every write transaction
            host      TEXT NOT NULL,
            is_daemon INTEGER NOT NULL,
            until_at  TEXT NOT NULL
        ) STRICT
        """,
        """
        CREATE TABLE request (                  -- a request of a command to the owner
            id        TEXT PRIMARY KEY,
            instance  TEXT NOT NULL,
            kind      TEXT NOT NULL,            -- check, retry, skip …
            arguments TEXT NOT NULL,            -- JSON
            asked_at  TEXT NOT NULL,
            result    TEXT                      -- JSON; NULL until the owner has answered
        ) STRICT
        """,
        # Version 0.1.0 reads this row, and then refuses the ledger.
        """
        INSERT INTO meta VALUES ('compatibility', '{"schema": 3, "since": 3}')
        ON CONFLICT (key) DO UPDATE SET value = excluded.value
        """,
    ),
)
SCHEMA_VERSION = len(MIGRATIONS)
KEPT_BY_MIGRATION = ("schema", "compatibility")
"""Keys of `meta` that belong to the schema. A copy has its own."""
TABLES = ("instance", "message", "delivery", "attempt", "sink", "meta", "node")
"""The tables that a copy holds: not those about the processes that use this ledger. Each refers to those before it."""


def migrate(connection: "sqlite3.Connection", migrations: Sequence[Sequence[str]] = MIGRATIONS) -> None:
    """Take the steps that are missing, in one transaction (SQLite rolls back schema changes and user_version too)."""
    if int(connection.execute("PRAGMA user_version").fetchone()[0]) == len(migrations):
        return
    connection.execute("BEGIN IMMEDIATE")
    with connection:  # commits, or rolls back on an error
        version = int(connection.execute("PRAGMA user_version").fetchone()[0])
        for step in migrations[version:]:
            for statement in step:
                connection.execute(statement, {"random": token_hex(16)})
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {len(migrations)}")


def require_known(version: int, place: str) -> None:
    """Raise `LedgerError` for a ledger whose schema is newer than this program."""
    if version > SCHEMA_VERSION:
        raise LedgerError(
            f"{place} was written by a newer version of this program (schema {version}, this one knows "
            f"{SCHEMA_VERSION}): upgrade this program, or restore the backup from before"
        )
