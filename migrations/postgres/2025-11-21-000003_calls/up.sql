-- The ledger: admitted calls by API (in the order of its bytes) and user.
CREATE TABLE call_totals (
    api     TEXT   COLLATE "C" NOT NULL,
    user_id BIGINT NOT NULL,
    calls   BIGINT NOT NULL CHECK (calls >= 0),
    PRIMARY KEY (api, user_id)
);

-- The last epoch of each run of a process that is in the ledger, so that none is added twice.
CREATE TABLE flushed_epochs (
    incarnation BYTEA       PRIMARY KEY CHECK (octet_length(incarnation) = 16),
    epoch       BIGINT      NOT NULL,
    -- For a later clean-up.
    flushed_at  TIMESTAMPTZ NOT NULL DEFAULT now()
);
