-- Live sessions, each named by the version of its user's set that made it.
CREATE TABLE sessions (
    user_id    INTEGER NOT NULL REFERENCES users (id),
    version    INTEGER NOT NULL,
    -- SHA-256 of the token's secret.
    verifier   BLOB    NOT NULL CHECK (length(verifier) = 32),
    -- Microseconds since the Unix epoch.
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (user_id, version)
) STRICT, WITHOUT ROWID;
