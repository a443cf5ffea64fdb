CREATE TABLE instance (
    name      TEXT PRIMARY KEY,
    knowledge TEXT NOT NULL,            -- JSON of domain.server.state.ServerState
    beat_at   TEXT                      -- not used since schema 2
) STRICT;

CREATE TABLE message (
    id             TEXT PRIMARY KEY,    -- a hash of instance, recipient key and identities
    instance       TEXT NOT NULL,
    sink           TEXT NOT NULL,
    recipient_key  TEXT NOT NULL,
    recipient      TEXT NOT NULL,       -- JSON of domain.recipients.Recipient, as last planned
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
) STRICT;

CREATE INDEX message_open ON message (instance, sink, is_urgent DESC, due_at, created_at, id)
WHERE state IN ('pending', 'failed'); -- in the order in which they are claimed

CREATE INDEX message_sent ON message (instance, sink, recipient_key, settled_at) WHERE state = 'sent';

CREATE TABLE delivery (
    instance      TEXT NOT NULL,
    identity      TEXT NOT NULL,        -- domain.identities.identity
    recipient_key TEXT NOT NULL,
    subject       TEXT NOT NULL,        -- domain.identities.subject
    sink          TEXT NOT NULL,
    address       TEXT NOT NULL,
    notice        TEXT NOT NULL,        -- JSON of domain.notices
    state         TEXT NOT NULL
                  CHECK (state IN ('pending', 'sent', 'failed', 'cancelled', 'superseded')),
    reason        TEXT NOT NULL,        -- domain.recipients.Reason of the last decision
    message_id    TEXT NOT NULL REFERENCES message (id),
    planned_at    TEXT NOT NULL,
    settled_at    TEXT,
    PRIMARY KEY (instance, identity, recipient_key)
) STRICT, WITHOUT ROWID;

CREATE INDEX delivery_message ON delivery (message_id);

CREATE INDEX delivery_subject ON delivery (instance, subject);

CREATE INDEX delivery_given_up ON delivery (settled_at) WHERE state IN ('cancelled', 'superseded');

CREATE INDEX delivery_urgent ON delivery (instance, subject)
WHERE state = 'sent' AND identity LIKE 'update/%/urgent';

CREATE INDEX message_given_up ON message (settled_at) WHERE state = 'cancelled';

CREATE INDEX delivery_open ON delivery (instance, state) WHERE state IN ('pending', 'failed');

CREATE TABLE attempt (
    message_id TEXT NOT NULL REFERENCES message (id),
    number     INTEGER NOT NULL,        -- from 1
    started_at TEXT NOT NULL,
    ended_at   TEXT,
    outcome    TEXT CHECK (outcome IN ('sent', 'deferred', 'failed', 'unknown')),
    reply      TEXT NOT NULL DEFAULT '',
    identities TEXT NOT NULL,           -- JSON: the rows that this attempt carried
    PRIMARY KEY (message_id, number)
) STRICT, WITHOUT ROWID;

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
) STRICT, WITHOUT ROWID;

CREATE INDEX attempt_ended ON attempt (ended_at);

-- Statistics of a ledger after years. Without them SQLite assumes ten rows for each instance, and reads every row that
-- was ever sent at each check. PostgreSQL has its own.
ANALYZE;

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
    ('attempt', 'attempt_ended', '10000 1');

CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;

INSERT INTO meta VALUES ('salt', :random);
