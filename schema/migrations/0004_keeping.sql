-- What housekeeping removes, when it did, and the ways by which it finds what is old.

ALTER TABLE sessions ADD COLUMN log_removed_at TEXT;    -- when housekeeping removed its log
ALTER TABLE sessions ADD COLUMN emptied_at TEXT;        -- when it removed its texts; the row stays where others refer to it
CREATE INDEX sessions_to_empty ON sessions (ended_at) WHERE emptied_at IS NULL AND chain_id IS NULL;
CREATE INDEX sessions_with_log ON sessions (id) WHERE log_removed_at IS NULL AND log_file IS NOT NULL;
CREATE INDEX health_checks_by_time ON health_checks (checked_at);
CREATE INDEX triggers_past ON triggers (updated_at) WHERE status <> 'waiting';

-- When the daily work was done last, one row for each kind of it: `housekeeping`, `backup`.
CREATE TABLE chores (
    name TEXT PRIMARY KEY,
    done_at TEXT NOT NULL
) STRICT;
