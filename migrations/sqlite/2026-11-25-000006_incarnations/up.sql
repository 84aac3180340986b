-- The authors of counts, each with its last epoch that is in the ledger, so that none is added twice.
ALTER TABLE flushed_epochs RENAME TO incarnations;
-- Whose entry among the processes shows that it lives.
ALTER TABLE incarnations ADD COLUMN process BLOB CHECK (length(process) = 16);
-- Whether it may add no further epoch.
ALTER TABLE incarnations ADD COLUMN closed INTEGER NOT NULL DEFAULT 0;
-- Those of earlier versions have nothing that could be adopted.
UPDATE incarnations SET closed = 1;
CREATE INDEX incarnations_open ON incarnations (process) WHERE closed = 0;
