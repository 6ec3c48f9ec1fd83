-- Status pages that also say how fast their services answer; those that there are do not.
ALTER TABLE status_pages ADD COLUMN latency INTEGER NOT NULL DEFAULT 0 CHECK (latency IN (0, 1));
