-- rebuilds tables --
-- Incidents that start sessions: the kind of trigger `service`, what a session works on, and who is told of a service.

CREATE TABLE sessions_new (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    tier INTEGER NOT NULL CHECK (tier BETWEEN 1 AND 3),
    model TEXT NOT NULL,
    prompt_file TEXT NOT NULL,
    prompt_text TEXT,
    status TEXT NOT NULL CHECK (status IN ('running', 'completed', 'failed', 'timed_out', 'stopped', 'interrupted',
        'escalated', 'awaiting_approval')),
    trigger TEXT NOT NULL DEFAULT 'scheduled' CHECK (trigger IN
        ('scheduled', 'manual', 'api', 'alert', 'service', 'escalation', 'approval')),
    requested_by TEXT,                  -- the person or program that asked; NULL for the schedule
    started_at TEXT NOT NULL,
    ended_at TEXT,
    exit_code INTEGER,
    reason TEXT,                        -- why it ended as it did, as a sentence
    log_file TEXT,
    run_id TEXT UNIQUE,                 -- directory of the run under <state>/runs; a resumed session gets a new one
    cli_session_id TEXT,
    cli_version TEXT,
    model_id TEXT,                      -- the full id that the CLI reported
    log_offset INTEGER NOT NULL DEFAULT 0,  -- what of the log is stored; moves in one transaction with what it meant
    lines INTEGER NOT NULL DEFAULT 0,
    context TEXT,                       -- what the tier before handed over
    response TEXT,
    structured TEXT,                    -- the structured output, JSON
    summary TEXT,
    cost_usd REAL,                      -- of all its runs
    num_turns INTEGER,
    duration_ms INTEGER,
    usage TEXT,                         -- tokens, JSON: input, output, cache_read, cache_creation
    estimated_usd REAL,                 -- cost so far by list price, until the CLI reports cost_usd
    result TEXT,                        -- how the CLI said it ended, JSON: subtype, is_error, text of an error
    parent_session_id INTEGER REFERENCES sessions (id),
    chain_id INTEGER REFERENCES sessions (id),  -- the first session of its chain; NULL means that it is the first
    dry_run INTEGER NOT NULL DEFAULT 0, -- as it was when the session started
    cost_before REAL NOT NULL DEFAULT 0,    -- dollars, turns and milliseconds of its runs before this one
    turns_before INTEGER NOT NULL DEFAULT 0,
    duration_before INTEGER NOT NULL DEFAULT 0,
    servers TEXT,                       -- MCP servers with their status, JSON, as the init event told
    log_removed_at TEXT,                -- when housekeeping removed its log
    emptied_at TEXT,                    -- when it removed its texts; the row stays where others refer to it
    handoff_at TEXT,                    -- when a call of it was first let write handoff.json
    spent_at TEXT,                      -- when it last spent money, by its log; NULL: on the day on which it started
    -- The incident that it was started for, by itself or by the session before it in its chain.
    incident_id INTEGER REFERENCES incidents (id) ON DELETE SET NULL
) STRICT;
INSERT INTO sessions_new (id, tier, model, prompt_file, prompt_text, status, trigger, requested_by, started_at, ended_at,
    exit_code, reason, log_file, run_id, cli_session_id, cli_version, model_id, log_offset, lines, context, response,
    structured, summary, cost_usd, num_turns, duration_ms, usage, estimated_usd, result, parent_session_id, chain_id,
    dry_run, cost_before, turns_before, duration_before, servers, log_removed_at, emptied_at, handoff_at, spent_at)
SELECT id, tier, model, prompt_file, prompt_text, status, trigger, requested_by, started_at, ended_at,
    exit_code, reason, log_file, run_id, cli_session_id, cli_version, model_id, log_offset, lines, context, response,
    structured, summary, cost_usd, num_turns, duration_ms, usage, estimated_usd, result, parent_session_id, chain_id,
    dry_run, cost_before, turns_before, duration_before, servers, log_removed_at, emptied_at, handoff_at, spent_at
FROM sessions;
-- Ids are never used twice, those of deleted rows neither. A table of which nothing is left has its number still.
INSERT INTO sqlite_sequence (name, seq) SELECT 'sessions_new', 0
WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'sessions_new');
UPDATE sqlite_sequence SET seq = (SELECT seq FROM sqlite_sequence WHERE name = 'sessions')
WHERE name = 'sessions_new' AND EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'sessions');
DROP TABLE sessions;
ALTER TABLE sessions_new RENAME TO sessions;
CREATE INDEX sessions_by_status ON sessions (status, id);
CREATE INDEX sessions_by_tier ON sessions (tier, id);
CREATE INDEX sessions_by_trigger ON sessions (trigger, id);
CREATE INDEX sessions_by_parent ON sessions (parent_session_id) WHERE parent_session_id IS NOT NULL;
CREATE INDEX sessions_by_chain ON sessions (chain_id, id) WHERE chain_id IS NOT NULL;
CREATE INDEX sessions_by_start ON sessions (started_at);
CREATE INDEX sessions_to_empty ON sessions (ended_at) WHERE emptied_at IS NULL AND chain_id IS NULL;
CREATE INDEX sessions_with_log ON sessions (id) WHERE log_removed_at IS NULL AND log_file IS NOT NULL;
CREATE INDEX sessions_by_cost ON sessions (cost_usd, duration_ms);
CREATE INDEX sessions_by_incident ON sessions (incident_id) WHERE incident_id IS NOT NULL;
-- One active session a tier, whatever the code does.
CREATE UNIQUE INDEX sessions_active_tier ON sessions (tier) WHERE status = 'running';

-- Sums by day and by chain, as before.
CREATE TRIGGER sessions_added AFTER INSERT ON sessions BEGIN
    INSERT INTO cost_days
    VALUES (substr(NEW.started_at, 1, 10), NEW.tier, coalesce(NEW.model_id, NEW.model), NEW.trigger, 1,
            NEW.cost_usd IS NULL AND NEW.estimated_usd IS NOT NULL, NEW.cost_usd IS NULL AND NEW.estimated_usd IS NULL,
            CAST(round(1000000 * CASE NEW.status
                WHEN 'running' THEN max(coalesce(NEW.cost_usd, 0.0), coalesce(NEW.estimated_usd, 0.0))
                ELSE coalesce(NEW.cost_usd, NEW.estimated_usd, 0.0) END) AS INTEGER))
    ON CONFLICT (day, tier, model, trigger) DO UPDATE SET sessions = sessions + 1,
        estimated = estimated + excluded.estimated, unknown = unknown + excluded.unknown,
        micro_usd = micro_usd + excluded.micro_usd;
    INSERT INTO cost_chains
    VALUES (coalesce(NEW.chain_id, NEW.id), substr(NEW.started_at, 1, 10), 1,
            CAST(round(1000000 * CASE NEW.status
                WHEN 'running' THEN max(coalesce(NEW.cost_usd, 0.0), coalesce(NEW.estimated_usd, 0.0))
                ELSE coalesce(NEW.cost_usd, NEW.estimated_usd, 0.0) END) AS INTEGER))
    ON CONFLICT (chain_id) DO UPDATE SET sessions = sessions + 1, micro_usd = micro_usd + excluded.micro_usd;
END;
CREATE TRIGGER sessions_cost_changed AFTER UPDATE ON sessions
WHEN (OLD.status, OLD.cost_usd, OLD.estimated_usd, OLD.model_id, OLD.model, OLD.tier, OLD.trigger, OLD.started_at, OLD.chain_id)
  IS NOT (NEW.status, NEW.cost_usd, NEW.estimated_usd, NEW.model_id, NEW.model, NEW.tier, NEW.trigger, NEW.started_at, NEW.chain_id)
BEGIN
    UPDATE cost_days SET sessions = sessions - 1,
        estimated = estimated - (OLD.cost_usd IS NULL AND OLD.estimated_usd IS NOT NULL),
        unknown = unknown - (OLD.cost_usd IS NULL AND OLD.estimated_usd IS NULL)
    WHERE day = substr(OLD.started_at, 1, 10) AND tier = OLD.tier AND model = coalesce(OLD.model_id, OLD.model)
      AND trigger = OLD.trigger;
    INSERT INTO cost_days
    VALUES (substr(NEW.started_at, 1, 10), NEW.tier, coalesce(NEW.model_id, NEW.model), NEW.trigger, 1,
            NEW.cost_usd IS NULL AND NEW.estimated_usd IS NOT NULL, NEW.cost_usd IS NULL AND NEW.estimated_usd IS NULL, 0)
    ON CONFLICT (day, tier, model, trigger) DO UPDATE SET sessions = sessions + 1,
        estimated = estimated + excluded.estimated, unknown = unknown + excluded.unknown;
    INSERT INTO cost_days
    VALUES (substr(coalesce(NEW.spent_at, NEW.started_at), 1, 10), NEW.tier, coalesce(NEW.model_id, NEW.model), NEW.trigger,
            0, 0, 0,
            CAST(round(1000000 * CASE NEW.status
                WHEN 'running' THEN max(coalesce(NEW.cost_usd, 0.0), coalesce(NEW.estimated_usd, 0.0))
                ELSE coalesce(NEW.cost_usd, NEW.estimated_usd, 0.0) END) AS INTEGER)
          - CAST(round(1000000 * CASE OLD.status
                WHEN 'running' THEN max(coalesce(OLD.cost_usd, 0.0), coalesce(OLD.estimated_usd, 0.0))
                ELSE coalesce(OLD.cost_usd, OLD.estimated_usd, 0.0) END) AS INTEGER))
    ON CONFLICT (day, tier, model, trigger) DO UPDATE SET micro_usd = micro_usd + excluded.micro_usd;
    DELETE FROM cost_days
    WHERE sessions = 0 AND micro_usd = 0 AND ((day = substr(OLD.started_at, 1, 10) AND tier = OLD.tier
      AND model = coalesce(OLD.model_id, OLD.model) AND trigger = OLD.trigger)
      OR (day = substr(coalesce(NEW.spent_at, NEW.started_at), 1, 10) AND tier = NEW.tier
      AND model = coalesce(NEW.model_id, NEW.model) AND trigger = NEW.trigger));
    UPDATE cost_chains SET sessions = sessions - 1,
        micro_usd = micro_usd - CAST(round(1000000 * CASE OLD.status
            WHEN 'running' THEN max(coalesce(OLD.cost_usd, 0.0), coalesce(OLD.estimated_usd, 0.0))
            ELSE coalesce(OLD.cost_usd, OLD.estimated_usd, 0.0) END) AS INTEGER)
    WHERE chain_id = coalesce(OLD.chain_id, OLD.id);
    INSERT INTO cost_chains
    VALUES (coalesce(NEW.chain_id, NEW.id), substr(NEW.started_at, 1, 10), 1,
            CAST(round(1000000 * CASE NEW.status
                WHEN 'running' THEN max(coalesce(NEW.cost_usd, 0.0), coalesce(NEW.estimated_usd, 0.0))
                ELSE coalesce(NEW.cost_usd, NEW.estimated_usd, 0.0) END) AS INTEGER))
    ON CONFLICT (chain_id) DO UPDATE SET sessions = sessions + 1, micro_usd = micro_usd + excluded.micro_usd;
    DELETE FROM cost_chains WHERE chain_id = coalesce(OLD.chain_id, OLD.id) AND sessions = 0;
END;
-- A chain that is gone can't be opened; what the days cost stays.
CREATE TRIGGER sessions_removed AFTER DELETE ON sessions WHEN OLD.chain_id IS NULL BEGIN
    DELETE FROM cost_chains WHERE chain_id = OLD.id;
END;

CREATE TABLE triggers_new (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL CHECK (kind IN ('scheduled', 'manual', 'api', 'alert', 'service', 'escalation', 'approval')),
    status TEXT NOT NULL CHECK (status IN ('waiting', 'started', 'cancelled', 'refused')),
    tier INTEGER NOT NULL CHECK (tier BETWEEN 1 AND 3),
    priority INTEGER NOT NULL,          -- lower goes first; within one, the older
    prompt TEXT NOT NULL DEFAULT '',    -- empty: the tier's prompt file
    context TEXT,                       -- what the tier before handed over
    key TEXT,                           -- same key, same thing: a waiting one is merged into
    merged INTEGER NOT NULL DEFAULT 0,  -- how many were merged into this one
    attempts INTEGER NOT NULL DEFAULT 0,    -- how often its session was started and killed before it ran
    reason TEXT,                        -- why it waits, or why it was refused
    requested_by TEXT,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    parent_session_id INTEGER REFERENCES sessions (id),
    session_id INTEGER REFERENCES sessions (id),    -- the session that it started, or that it resumes
    -- 1: a model chooses its tier, and until then it stands in no tier's line, whatever `tier` says.
    choosing INTEGER NOT NULL DEFAULT 0 CHECK (choosing IN (0, 1))
) STRICT;
INSERT INTO triggers_new (id, kind, status, tier, priority, prompt, context, key, merged, attempts, reason, requested_by,
    created_at, updated_at, parent_session_id, session_id, choosing)
SELECT id, kind, status, tier, priority, prompt, context, key, merged, attempts, reason, requested_by,
    created_at, updated_at, parent_session_id, session_id, choosing
FROM triggers;
INSERT INTO sqlite_sequence (name, seq) SELECT 'triggers_new', 0
WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'triggers_new');
UPDATE sqlite_sequence SET seq = (SELECT seq FROM sqlite_sequence WHERE name = 'triggers')
WHERE name = 'triggers_new' AND EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'triggers');
DROP TABLE triggers;
ALTER TABLE triggers_new RENAME TO triggers;
CREATE INDEX triggers_waiting ON triggers (choosing, tier, priority, id) WHERE status = 'waiting';
CREATE UNIQUE INDEX triggers_waiting_key ON triggers (key) WHERE status = 'waiting' AND key IS NOT NULL;
CREATE INDEX triggers_by_status ON triggers (status, id);
CREATE INDEX triggers_by_kind ON triggers (kind, id);
CREATE INDEX triggers_by_session ON triggers (session_id) WHERE session_id IS NOT NULL;
CREATE INDEX triggers_by_any_parent ON triggers (parent_session_id);
CREATE INDEX triggers_past ON triggers (updated_at) WHERE status <> 'waiting';
-- A chain goes on once: a session hands over to one other at most.
CREATE UNIQUE INDEX triggers_by_parent ON triggers (parent_session_id) WHERE kind = 'escalation';

-- Which trigger an incident has put into the queue; it has one at most.
CREATE UNIQUE INDEX incidents_by_trigger ON incidents (trigger_id) WHERE trigger_id IS NOT NULL;
CREATE INDEX incidents_started ON incidents (service_id, id) WHERE trigger_id IS NOT NULL;
CREATE INDEX incidents_by_time ON incidents (began_at);

-- The channels that it is for, with commas between them, as the service's own rules name them; NULL: by the channels'.
ALTER TABLE notifications ADD COLUMN channels TEXT;
-- The level by which channels are chosen, where it is another than its own: who was told that a service is down is told
-- that it works again.
ALTER TABLE notifications ADD COLUMN told_as TEXT CHECK (told_as IN ('info', 'warning', 'critical'));

-- When people were last told that it is degraded.
ALTER TABLE service_states ADD COLUMN warned_at INTEGER;
-- Services of which sessions tell, by the name that sessions know them by.
CREATE INDEX services_observed ON services (url) WHERE kind = 'observed';

-- Times in which this host itself reached none of CLAUDEOPS_CONNECTIVITY_TARGETS, in ms since 1970.
CREATE TABLE cut_offs (
    id INTEGER PRIMARY KEY,
    began_at INTEGER NOT NULL,
    ended_at INTEGER
) STRICT;
CREATE INDEX cut_offs_open ON cut_offs (id) WHERE ended_at IS NULL;
