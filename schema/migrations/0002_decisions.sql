-- rebuilds tables --
-- Sessions that wait for a person, the queue of triggers, verdicts and approvals, and what counts towards a limit.

CREATE TABLE sessions_new (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    tier INTEGER NOT NULL CHECK (tier BETWEEN 1 AND 3),
    model TEXT NOT NULL,
    prompt_file TEXT NOT NULL,
    prompt_text TEXT,
    status TEXT NOT NULL CHECK (status IN ('running', 'completed', 'failed', 'timed_out', 'stopped', 'interrupted',
        'escalated', 'awaiting_approval')),
    trigger TEXT NOT NULL DEFAULT 'scheduled' CHECK (trigger IN
        ('scheduled', 'manual', 'api', 'alert', 'escalation', 'approval')),
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
    servers TEXT                        -- MCP servers with their status, JSON, as the init event told
) STRICT;
INSERT INTO sessions_new (id, tier, model, prompt_file, prompt_text, status, trigger, requested_by, started_at, ended_at,
    exit_code, reason, log_file, run_id, cli_session_id, cli_version, model_id, log_offset, lines, context, response,
    structured, summary, cost_usd, num_turns, duration_ms, usage, estimated_usd, result, parent_session_id)
SELECT id, tier, model, prompt_file, prompt_text, status, trigger, requested_by, started_at, ended_at,
    exit_code, reason, log_file, run_id, cli_session_id, cli_version, model_id, log_offset, lines, context, response,
    structured, summary, cost_usd, num_turns, duration_ms, usage, estimated_usd, result, parent_session_id
FROM sessions;
-- Ids are never used twice, those of deleted rows neither.
UPDATE sqlite_sequence SET seq = (SELECT seq FROM sqlite_sequence WHERE name = 'sessions')
WHERE name = 'sessions_new' AND EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'sessions');
DROP TABLE sessions;
ALTER TABLE sessions_new RENAME TO sessions;
WITH RECURSIVE line (id, root) AS (
    SELECT id, id FROM sessions WHERE parent_session_id IS NULL
    UNION ALL SELECT sessions.id, line.root FROM sessions JOIN line ON sessions.parent_session_id = line.id
)
UPDATE sessions SET chain_id = (SELECT root FROM line WHERE line.id = sessions.id)
WHERE parent_session_id IS NOT NULL;
CREATE INDEX sessions_by_status ON sessions (status, id);
CREATE INDEX sessions_by_tier ON sessions (tier, id);
CREATE INDEX sessions_by_trigger ON sessions (trigger, id);
CREATE INDEX sessions_by_parent ON sessions (parent_session_id) WHERE parent_session_id IS NOT NULL;
CREATE INDEX sessions_by_chain ON sessions (chain_id, id) WHERE chain_id IS NOT NULL;
CREATE INDEX sessions_by_start ON sessions (started_at);
-- One active session a tier, whatever the code does.
CREATE UNIQUE INDEX sessions_active_tier ON sessions (tier) WHERE status = 'running';

-- The queue. What waits is merged by its key; the index refuses a second one that waits, whatever the code does.
CREATE TABLE triggers (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL CHECK (kind IN ('scheduled', 'manual', 'api', 'alert', 'escalation', 'approval')),
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
    session_id INTEGER REFERENCES sessions (id)     -- the session that it started, or that it resumes
) STRICT;
CREATE INDEX triggers_waiting ON triggers (tier, priority, id) WHERE status = 'waiting';
CREATE UNIQUE INDEX triggers_waiting_key ON triggers (key) WHERE status = 'waiting' AND key IS NOT NULL;
CREATE INDEX triggers_by_status ON triggers (status, id);
CREATE INDEX triggers_by_kind ON triggers (kind, id);
CREATE INDEX triggers_by_session ON triggers (session_id) WHERE session_id IS NOT NULL;
CREATE INDEX triggers_by_any_parent ON triggers (parent_session_id);
-- A chain goes on once: a session hands over to one other at most.
CREATE UNIQUE INDEX triggers_by_parent ON triggers (parent_session_id) WHERE kind = 'escalation';

-- Every tool call that the hook asked about, with its verdict.
CREATE TABLE calls (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    session_id INTEGER NOT NULL REFERENCES sessions (id),
    run_id TEXT NOT NULL,               -- the run that asked; a call is asked again in another when its session resumes
    tool_use_id TEXT NOT NULL,
    tool TEXT NOT NULL,
    input TEXT NOT NULL,                -- JSON, free of secrets
    input_hash TEXT NOT NULL,           -- SHA-256 of tool and input, to find the same call again
    decision TEXT NOT NULL CHECK (decision IN ('allow', 'deny', 'ask')),
    rule TEXT NOT NULL,
    reason TEXT NOT NULL,
    found TEXT NOT NULL,                -- JSON: what the command was understood to do
    asked_at TEXT NOT NULL,
    UNIQUE (session_id, tool_use_id)
) STRICT;
CREATE INDEX calls_by_input ON calls (session_id, input_hash);

-- Calls that wait for a person. Decided once, by compare-and-set on the status.
CREATE TABLE approvals (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    session_id INTEGER NOT NULL REFERENCES sessions (id),
    tool_use_id TEXT NOT NULL,
    tier INTEGER NOT NULL,
    tool TEXT NOT NULL,
    input TEXT NOT NULL,                -- JSON, whole and free of secrets
    input_hash TEXT NOT NULL,           -- of the call as it was, so that exactly that call runs
    rule TEXT NOT NULL,                 -- what asked for a person
    reason TEXT NOT NULL,               -- why it needs one, as a sentence
    found TEXT NOT NULL,                -- JSON: what the rule saw
    words TEXT,                         -- the agent's stated reason
    status TEXT NOT NULL CHECK (status IN ('waiting', 'approved', 'denied', 'expired', 'cancelled', 'used')),
    created_at TEXT NOT NULL,
    expires_at TEXT NOT NULL,
    decided_at TEXT,
    decided_by TEXT,
    answer TEXT,                        -- the reason of a denial, which the model sees
    used_at TEXT,
    used_run TEXT,                      -- the run in which it was let through
    deferred_run TEXT,                  -- the run that was ended so that it can wait
    UNIQUE (session_id, tool_use_id)
) STRICT;
CREATE INDEX approvals_by_status ON approvals (status, expires_at);
CREATE INDEX approvals_by_session ON approvals (session_id);

-- Standing decisions of people, narrower than the policy: what they match is not asked again until they expire.
CREATE TABLE approval_rules (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    decision TEXT NOT NULL CHECK (decision IN ('allow', 'ask', 'deny')),
    tool TEXT NOT NULL,
    pattern TEXT NOT NULL,              -- the words of the command, from its first; * as the last word means any further
    host TEXT,                          -- NULL: on this host alone; * on any
    tier INTEGER CHECK (tier BETWEEN 1 AND 3),  -- NULL: any
    reason TEXT,
    created_at TEXT NOT NULL,
    created_by TEXT NOT NULL,
    expires_at TEXT,                    -- NULL: until it is revoked
    revoked_at TEXT,
    revoked_by TEXT
) STRICT;
CREATE INDEX approval_rules_active ON approval_rules (tool) WHERE revoked_at IS NULL;

-- What was decided about a session's calls, and by whom; what people changed.
CREATE TABLE audit (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at TEXT NOT NULL,
    actor TEXT NOT NULL,                -- a person, `rules`, or a part of the daemon
    action TEXT NOT NULL,               -- such as call.allow, call.deny, approval.approved, cooldown.reset
    session_id INTEGER REFERENCES sessions (id),
    subject TEXT NOT NULL,              -- the command, whole, or what the action was done to
    rule TEXT,
    detail TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX audit_by_action ON audit (action, id);
CREATE INDEX audit_by_session ON audit (session_id, id) WHERE session_id IS NOT NULL;

CREATE INDEX cooldown_actions_by_time ON cooldown_actions (timestamp);
ALTER TABLE cooldown_actions ADD COLUMN tool_use_id TEXT;   -- the call that it was counted for; NULL: told by a marker
ALTER TABLE cooldown_actions ADD COLUMN told INTEGER NOT NULL DEFAULT 0;    -- whether a marker has told how it went
CREATE UNIQUE INDEX cooldown_actions_by_call ON cooldown_actions (session_id, tool_use_id, service, action_type)
    WHERE tool_use_id IS NOT NULL;
-- From when on actions count: moved when enough checks in a row were healthy, or by a person.
ALTER TABLE service_health_streak ADD COLUMN cleared_at TEXT;
ALTER TABLE service_health_streak ADD COLUMN status TEXT;

-- What a session says counts once, however often it says it: in its text, in its structured output, after a resume.
CREATE TABLE said (
    session_id INTEGER NOT NULL REFERENCES sessions (id),
    kind TEXT NOT NULL,                 -- event, memory, cooldown, health
    key TEXT NOT NULL,                  -- a hash of what was said
    PRIMARY KEY (session_id, kind, key)
) STRICT, WITHOUT ROWID;
-- Pages of events go by id, which an index on one column carries along.
CREATE INDEX events_of_level ON events (level);
CREATE INDEX events_of_service ON events (service);
ALTER TABLE memories ADD COLUMN decayed_at TEXT;            -- when confidence was lowered last for age
UPDATE memories SET confidence = min(max(confidence, 0.0), 1.0) WHERE confidence NOT BETWEEN 0.0 AND 1.0;
CREATE INDEX memories_by_age ON memories (updated_at) WHERE active = 1;
ALTER TABLE health_checks ADD COLUMN tier INTEGER;

-- Warnings about money, each once a day: 50 and 80 per cent, and 100.
CREATE TABLE budget_warnings (
    day TEXT NOT NULL,
    scope TEXT NOT NULL,                -- day, or tier1 to tier3
    percent INTEGER NOT NULL,
    PRIMARY KEY (day, scope, percent)
) STRICT;
