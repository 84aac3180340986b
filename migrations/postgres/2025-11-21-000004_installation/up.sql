-- What the first start decided for the life of the data.
CREATE TABLE installation (
    name  TEXT  PRIMARY KEY,
    value BYTEA NOT NULL
);
