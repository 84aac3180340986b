-- The ledger: admitted calls by API (in the order of its bytes) and user.
CREATE TABLE call_totals (
    api     TEXT    NOT NULL,
    user_id INTEGER NOT NULL,
    calls   INTEGER NOT NULL CHECK (calls >= 0),
    PRIMARY KEY (api, user_id)
) STRICT, WITHOUT ROWID;

-- The last epoch of each run of a process that is in the ledger, so that none is added twice.
CREATE TABLE flushed_epochs (
    incarnation BLOB    NOT NULL PRIMARY KEY CHECK (length(incarnation) = 16),
    epoch       INTEGER NOT NULL,
    -- For a later clean-up.
    flushed_at  INTEGER NOT NULL DEFAULT (unixepoch())
) STRICT, WITHOUT ROWID;
