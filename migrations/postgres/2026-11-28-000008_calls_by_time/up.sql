-- What became of calls, by API and time. Times are microseconds since the Unix epoch; steps begin in UTC.
CREATE TABLE call_series (
    api      TEXT    COLLATE "C" NOT NULL,
    -- Seconds: a minute (kept for 24 hours), an hour (30 days) or a day (400 days).
    step     INTEGER NOT NULL,
    start    BIGINT  NOT NULL,
    admitted BIGINT  NOT NULL,
    limited  BIGINT  NOT NULL,
    -- Those of the limited that were denied from a process' memory.
    repeated BIGINT  NOT NULL,
    refused  BIGINT  NOT NULL,
    PRIMARY KEY (api, step, start)
);

-- Summaries of who called and who was limited, each of bounded size.
CREATE TABLE call_sketches (
    api      TEXT    COLLATE "C" NOT NULL,
    -- Seconds: an hour (kept for 25 hours), a day (31 days) or 0, all time, which starts at 0.
    span     INTEGER NOT NULL,
    start    BIGINT  NOT NULL,
    sketches BYTEA   NOT NULL,
    PRIMARY KEY (api, span, start)
);
-- Sketches are dense: compressing them at each flush would cost more than it saves.
ALTER TABLE call_sketches ALTER COLUMN sketches SET STORAGE EXTERNAL;
