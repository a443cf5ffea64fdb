CREATE TABLE node (
    instance TEXT NOT NULL,
    host     TEXT NOT NULL,
    beat_at  TEXT NOT NULL,             -- last heartbeat of the daemon there; no row once it was stopped
    PRIMARY KEY (instance, host)
) STRICT, WITHOUT ROWID;
