-- Whether the live counts may lack calls of this author that are in the ledger.
ALTER TABLE incarnations ADD COLUMN behind BOOLEAN NOT NULL DEFAULT FALSE;
CREATE INDEX incarnations_behind ON incarnations (incarnation) WHERE behind AND NOT closed;
