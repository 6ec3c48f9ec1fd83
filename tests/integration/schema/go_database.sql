-- A database as the Go program leaves it at schema version 7: its tables, with rows of every kind.
CREATE TABLE sessions (
    id INTEGER PRIMARY KEY AUTOINCREMENT, tier INTEGER NOT NULL, model TEXT NOT NULL, prompt_file TEXT NOT NULL,
    status TEXT NOT NULL, started_at TEXT NOT NULL, ended_at TEXT, exit_code INTEGER, log_file TEXT, context TEXT,
    response TEXT, cost_usd REAL, num_turns INTEGER, duration_ms INTEGER, trigger TEXT NOT NULL DEFAULT 'scheduled',
    prompt_text TEXT, parent_session_id INTEGER REFERENCES sessions(id), summary TEXT);
CREATE TABLE health_checks (
    id INTEGER PRIMARY KEY AUTOINCREMENT, session_id INTEGER REFERENCES sessions(id), service TEXT NOT NULL,
    check_type TEXT NOT NULL, status TEXT NOT NULL, response_time_ms INTEGER, error_detail TEXT, checked_at TEXT NOT NULL);
CREATE TABLE cooldown_actions (
    id INTEGER PRIMARY KEY AUTOINCREMENT, service TEXT NOT NULL, action_type TEXT NOT NULL, timestamp TEXT NOT NULL,
    success INTEGER NOT NULL, tier INTEGER NOT NULL, error TEXT, session_id INTEGER REFERENCES sessions(id));
CREATE TABLE service_health_streak (
    service TEXT PRIMARY KEY, consecutive_healthy INTEGER NOT NULL DEFAULT 0, last_checked_at TEXT);
CREATE TABLE config (key TEXT PRIMARY KEY, value TEXT NOT NULL, updated_at TEXT NOT NULL);
CREATE TABLE events (
    id INTEGER PRIMARY KEY AUTOINCREMENT, session_id INTEGER REFERENCES sessions(id), level TEXT NOT NULL, service TEXT,
    message TEXT NOT NULL, created_at TEXT NOT NULL);
CREATE TABLE memories (
    id INTEGER PRIMARY KEY AUTOINCREMENT, service TEXT, category TEXT NOT NULL, observation TEXT NOT NULL,
    confidence REAL NOT NULL DEFAULT 0.7, active INTEGER NOT NULL DEFAULT 1, created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL, session_id INTEGER REFERENCES sessions(id), tier INTEGER NOT NULL DEFAULT 1);
CREATE INDEX idx_health_checks_service ON health_checks(service, checked_at);
CREATE INDEX idx_health_checks_session ON health_checks(session_id);
CREATE INDEX idx_cooldown_actions ON cooldown_actions(service, action_type, timestamp);
-- A name that this program uses too.
CREATE INDEX sessions_by_status ON sessions(status, started_at);
CREATE INDEX idx_sessions_parent ON sessions(parent_session_id);
CREATE INDEX idx_events_created ON events(created_at);
CREATE INDEX idx_events_session ON events(session_id);
CREATE INDEX idx_events_level ON events(level, created_at);
CREATE INDEX idx_memories_service ON memories(service, active);
CREATE INDEX idx_memories_confidence ON memories(confidence, active);
CREATE INDEX idx_memories_category ON memories(category);

INSERT INTO sessions VALUES
    (1, 1, 'haiku', '/app/prompts/tier1-observe.md', 'escalated', '2026-01-31T08:05:00.123456789Z', '2026-01-31T08:06:00Z',
     0, '/results/run-20260131-080500.log', NULL, 'web is down', 0.0125, 7, 60000, 'scheduled', NULL, NULL, 'Web is down.'),
    (2, 2, 'sonnet', '/app/prompts/tier2-investigate.md', 'completed', '2026-01-31T10:06:00+02:00', '2026-01-31T08:09:00Z',
     0, '/results/run-20260131-080600.log', 'context', 'repaired', 0.25, 12, 180000, 'escalation', NULL, 1, NULL),
    (3, 1, 'haiku', '(ad-hoc)', 'failed', '2026-01-31 09:00:00', '2026-01-31 09:00:05', 1, NULL, NULL, NULL, NULL, NULL,
     NULL, 'manual', 'look at the disk', NULL, NULL),
    (4, 1, 'haiku', 'p', 'timed_out', '2026-01-31T10:00:00Z', NULL, 137, NULL, NULL, NULL, NULL, NULL, NULL, 'alert', NULL,
     NULL, NULL),
    (5, 1, 'haiku', 'p', 'stopped', '2026-01-31T11:00:00Z', '2026-01-31T11:01:00Z', -1, NULL, NULL, NULL, NULL, NULL, NULL,
     'api', NULL, NULL, NULL),
    (6, 1, 'haiku', 'p', 'running', '2026-01-31T12:00:00Z', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'scheduled',
     NULL, NULL, NULL),
    (7, 1, 'haiku', 'p', 'running', '2026-01-31T13:00:00Z', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'scheduled',
     NULL, NULL, NULL),
    (8, 0, 'haiku', 'p', 'paused', 'long ago', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'telepathy', NULL, 99, NULL);
INSERT INTO health_checks VALUES
    (1, 1, 'web', 'http', 'down', 5000, 'timeout', '2026-01-31T08:05:10Z'),
    (2, 99, 'db', 'database', 'healthy', NULL, NULL, '2026-01-31 08:05:11');
INSERT INTO cooldown_actions VALUES
    (1, 'web', 'restart', '2026-01-31T08:07:00Z', 1, 2, NULL, 2),
    (2, 'web', 'redeployment', '2026-01-31 08:08:00', 0, 3, 'no such host', NULL);
INSERT INTO service_health_streak VALUES ('web', 2, '2026-01-31T08:09:00Z'), ('db', 0, NULL);
INSERT INTO config VALUES ('interval', '600', '2026-01-31 08:00:00'), ('dry_run', 'true', '2026-01-31T08:00:00Z');
INSERT INTO events VALUES
    (1, 1, 'critical', 'web', 'web is down', '2026-01-31T08:05:30Z'),
    (2, '0f6c2c0e-8a1e-4d5b-9a51-3f5f8f0e7a11', 'info', NULL, 'a hook wrote this', '2026-01-31 08:05:31'),
    (3, NULL, 'warning', 'db', 'slow', '2026-01-31T08:05:32Z');
INSERT INTO memories VALUES
    (1, 'web', 'timing', 'slow after a deploy', 0.8, 1, '2026-01-30T08:00:00Z', '2026-01-31 08:00:00', 1, 1),
    (2, NULL, 'maintenance', 'backups at night', 0.2, 0, '2026-01-30T08:00:00Z', '2026-01-30T08:00:00Z', NULL, 2);
