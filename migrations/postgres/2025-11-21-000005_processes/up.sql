-- The processes that use this database, each until its entry lapses on the database's clock.
CREATE TABLE processes (
    incarnation BYTEA       PRIMARY KEY CHECK (octet_length(incarnation) = 16),
    -- Whether it tolerates no other process.
    alone       BOOLEAN     NOT NULL,
    expires_at  TIMESTAMPTZ NOT NULL
);
