-- The first schema. The tables of the Go program keep their names and columns; what it lacked is added.

CREATE TABLE sessions (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    tier INTEGER NOT NULL CHECK (tier BETWEEN 1 AND 3),
    model TEXT NOT NULL,
    prompt_file TEXT NOT NULL,
    prompt_text TEXT,
    status TEXT NOT NULL CHECK (status IN
        ('running', 'completed', 'failed', 'timed_out', 'stopped', 'interrupted', 'escalated')),
    trigger TEXT NOT NULL DEFAULT 'scheduled' CHECK (trigger IN ('scheduled', 'manual', 'api', 'alert', 'escalation')),
    requested_by TEXT,                  -- the person or program that asked; NULL for the schedule
    started_at TEXT NOT NULL,
    ended_at TEXT,
    exit_code INTEGER,
    reason TEXT,                        -- why it ended as it did, as a sentence
    log_file TEXT,
    run_id TEXT UNIQUE,                 -- directory of the run under <state>/runs
    cli_session_id TEXT,
    cli_version TEXT,
    model_id TEXT,                      -- the full id that the CLI reported
    log_offset INTEGER NOT NULL DEFAULT 0,  -- what of the log is stored; moves in one transaction with what it meant
    lines INTEGER NOT NULL DEFAULT 0,
    context TEXT,
    response TEXT,
    structured TEXT,                    -- the structured output, JSON
    summary TEXT,
    cost_usd REAL,
    num_turns INTEGER,
    duration_ms INTEGER,
    usage TEXT,                         -- tokens, JSON: input, output, cache_read, cache_creation
    estimated_usd REAL,                 -- cost so far by list price, until the CLI reports cost_usd
    result TEXT,                        -- how the CLI said it ended, JSON: subtype, is_error, text of an error
    parent_session_id INTEGER REFERENCES sessions (id)
) STRICT;
CREATE INDEX sessions_by_status ON sessions (status, id);
CREATE INDEX sessions_by_tier ON sessions (tier, id);
CREATE INDEX sessions_by_trigger ON sessions (trigger, id);
CREATE INDEX sessions_by_parent ON sessions (parent_session_id) WHERE parent_session_id IS NOT NULL;
CREATE INDEX sessions_by_start ON sessions (started_at);
-- One active session a tier, whatever the code does.
CREATE UNIQUE INDEX sessions_active_tier ON sessions (tier) WHERE status = 'running';

CREATE TABLE health_checks (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    session_id INTEGER REFERENCES sessions (id),
    service TEXT NOT NULL,
    check_type TEXT NOT NULL,
    status TEXT NOT NULL,
    response_time_ms INTEGER,
    error_detail TEXT,
    checked_at TEXT NOT NULL
) STRICT;
CREATE INDEX health_checks_by_service ON health_checks (service, checked_at);
CREATE INDEX health_checks_by_session ON health_checks (session_id);

CREATE TABLE cooldown_actions (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    service TEXT NOT NULL,
    action_type TEXT NOT NULL,
    timestamp TEXT NOT NULL,
    success INTEGER NOT NULL,
    tier INTEGER NOT NULL,
    error TEXT,
    session_id INTEGER REFERENCES sessions (id)
) STRICT;
CREATE INDEX cooldown_actions_by_service ON cooldown_actions (service, action_type, timestamp);
CREATE INDEX cooldown_actions_by_session ON cooldown_actions (session_id);

CREATE TABLE service_health_streak (
    service TEXT PRIMARY KEY,
    consecutive_healthy INTEGER NOT NULL DEFAULT 0,
    last_checked_at TEXT
) STRICT;

CREATE TABLE config (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL,
    updated_at TEXT NOT NULL
) STRICT;

CREATE TABLE events (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    session_id INTEGER REFERENCES sessions (id),
    cli_session_id TEXT,                -- where the Go program's hook stored the CLI's UUID in place of a session's id
    level TEXT NOT NULL,
    service TEXT,
    message TEXT NOT NULL,
    created_at TEXT NOT NULL
) STRICT;
CREATE INDEX events_by_time ON events (created_at);
CREATE INDEX events_by_session ON events (session_id);
CREATE INDEX events_by_level ON events (level, created_at);

CREATE TABLE memories (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    service TEXT,
    category TEXT NOT NULL,
    observation TEXT NOT NULL,
    confidence REAL NOT NULL DEFAULT 0.7,
    active INTEGER NOT NULL DEFAULT 1,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    session_id INTEGER REFERENCES sessions (id),
    tier INTEGER NOT NULL DEFAULT 1
) STRICT;
CREATE INDEX memories_by_service ON memories (service, active);
CREATE INDEX memories_by_confidence ON memories (confidence, active);
CREATE INDEX memories_by_category ON memories (category);
CREATE INDEX memories_by_session ON memories (session_id);

-- When the schedule is due next. `boot` names the daemon's start, and `due_mono` is on its monotonic clock, so that a
-- worker that is replaced goes on with the old date whatever the wall clock did.
CREATE TABLE schedules (
    name TEXT PRIMARY KEY,
    boot TEXT NOT NULL,
    due_mono REAL NOT NULL,
    due_at TEXT NOT NULL
) STRICT;

CREATE TABLE users (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE COLLATE NOCASE,
    password_hash TEXT NOT NULL,
    role TEXT NOT NULL CHECK (role IN ('viewer', 'operator', 'admin')),
    created_at TEXT NOT NULL
) STRICT;

-- Signed-in browsers. The cookie's value is never stored, only its SHA-256.
CREATE TABLE sign_ins (
    token_hash TEXT PRIMARY KEY,
    user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    csrf TEXT NOT NULL,
    created_at TEXT NOT NULL,
    seen_at TEXT NOT NULL,
    expires_at TEXT NOT NULL
) STRICT;
CREATE INDEX sign_ins_by_expiry ON sign_ins (expires_at);
CREATE INDEX sign_ins_by_user ON sign_ins (user_id);

CREATE TABLE sign_in_failures (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL COLLATE NOCASE,
    address TEXT NOT NULL,
    failed_at TEXT NOT NULL
) STRICT;
CREATE INDEX sign_in_failures_by_name ON sign_in_failures (name, failed_at);
CREATE INDEX sign_in_failures_by_address ON sign_in_failures (address, failed_at);
CREATE INDEX sign_in_failures_by_time ON sign_in_failures (failed_at);

CREATE TABLE setup_links (
    token_hash TEXT PRIMARY KEY,
    created_at TEXT NOT NULL,
    expires_at TEXT NOT NULL,
    used_at TEXT,
    boot TEXT NOT NULL                  -- the daemon's start that made it
) STRICT;
CREATE INDEX setup_links_by_boot ON setup_links (boot);
CREATE INDEX setup_links_by_expiry ON setup_links (expires_at);

-- Replies to requests that changed something, stored with the change: a request that is sent again is answered from here.
CREATE TABLE replies (
    request_id TEXT PRIMARY KEY,
    reply BLOB NOT NULL,
    created_at TEXT NOT NULL
) STRICT;
CREATE INDEX replies_by_time ON replies (created_at);
