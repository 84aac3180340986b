-- The processes that share this database, each until its entry lapses: how many they are, not who may come in, which the lock on the
-- file beside the database says.
CREATE TABLE processes (
    incarnation BLOB    PRIMARY KEY CHECK (length(incarnation) = 16),
    -- Microseconds since the Unix epoch, on the system's clock.
    expires_at  INTEGER NOT NULL
) STRICT;
