ALTER TABLE message DROP COLUMN claim;

ALTER TABLE message DROP COLUMN lease_until;

-- One owner plans and delivers: claims, leases of messages and turns to check are gone.
DROP TABLE IF EXISTS turn;

CREATE INDEX attempt_open ON attempt (message_id) WHERE outcome IS NULL;

CREATE TABLE owner (                    -- the lease on a ledger in PostgreSQL; empty in a file
    id        INTEGER PRIMARY KEY CHECK (id = 1),
    token     TEXT NOT NULL,            -- verified by every write transaction
    host      TEXT NOT NULL,
    is_daemon INTEGER NOT NULL,
    until_at  TEXT NOT NULL
) STRICT;

CREATE TABLE request (                  -- a request of a command to the owner
    id        TEXT PRIMARY KEY,
    instance  TEXT NOT NULL,
    kind      TEXT NOT NULL,            -- check, retry, skip …
    arguments TEXT NOT NULL,            -- JSON
    asked_at  TEXT NOT NULL,
    result    TEXT                      -- JSON; NULL until the owner has answered
) STRICT;

-- Version 0.1.0 reads this row, and then refuses the ledger.
INSERT INTO meta VALUES ('compatibility', '{"schema": 3, "since": 3}')
ON CONFLICT (key) DO UPDATE SET value = excluded.value;
