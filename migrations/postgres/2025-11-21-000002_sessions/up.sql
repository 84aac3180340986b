-- Live sessions, each named by the version of its user's set that made it.
CREATE TABLE sessions (
    user_id    BIGINT NOT NULL REFERENCES users (id),
    version    BIGINT NOT NULL,
    -- SHA-256 of the token's secret.
    verifier   BYTEA  NOT NULL CHECK (octet_length(verifier) = 32),
    -- Microseconds since the Unix epoch.
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (user_id, version)
);
