-- What became of calls, by API and time. Times are microseconds since the Unix epoch; steps begin in UTC.
CREATE TABLE call_series (
    api      TEXT    NOT NULL,
    -- Seconds: a minute (kept for 24 hours), an hour (30 days) or a day (400 days).
    step     INTEGER NOT NULL,
    start    INTEGER NOT NULL,
    admitted INTEGER NOT NULL,
    limited  INTEGER NOT NULL,
    -- Those of the limited that were denied from a process' memory.
    repeated INTEGER NOT NULL,
    refused  INTEGER NOT NULL,
    PRIMARY KEY (api, step, start)
) STRICT, WITHOUT ROWID;

-- Summaries of who called and who was limited, each of bounded size.
CREATE TABLE call_sketches (
    api      TEXT    NOT NULL,
    -- Seconds: an hour (kept for 25 hours), a day (31 days) or 0, all time, which starts at 0.
    span     INTEGER NOT NULL,
    start    INTEGER NOT NULL,
    sketches BLOB    NOT NULL,
    PRIMARY KEY (api, span, start)
) STRICT;
