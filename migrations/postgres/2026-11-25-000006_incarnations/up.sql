-- The authors of counts, each with its last epoch that is in the ledger, so that none is added twice. Those of earlier versions
-- have nothing that could be adopted.
ALTER TABLE flushed_epochs RENAME TO incarnations;
ALTER TABLE incarnations
    -- Whose entry among the processes shows that it lives.
    ADD COLUMN process BYTEA CHECK (octet_length(process) = 16),
    -- Whether it may add no further epoch.
    ADD COLUMN closed  BOOLEAN NOT NULL DEFAULT TRUE;
ALTER TABLE incarnations ALTER COLUMN closed SET DEFAULT FALSE;
CREATE INDEX incarnations_open ON incarnations (process) WHERE NOT closed;
