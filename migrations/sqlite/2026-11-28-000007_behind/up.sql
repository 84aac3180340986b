-- Whether the live counts may lack calls of this author that are in the ledger.
ALTER TABLE incarnations ADD COLUMN behind INTEGER NOT NULL DEFAULT 0;
CREATE INDEX incarnations_behind ON incarnations (incarnation) WHERE behind AND NOT closed;
