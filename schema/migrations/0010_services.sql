-- rebuilds tables --
-- Services that the daemon probes. Times of results, changes and rollups are ms since 1970 (UTC), for they are many; all
-- others are stored times.
CREATE TABLE services (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE COLLATE NOCASE,
    -- What people see of it: without passwords. The definition is the whole, passwords left out too.
    url TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('http', 'tcp', 'tls', 'dns', 'icmp', 'websocket', 'grpc', 'heartbeat',
        'container', 'postgres', 'mysql', 'redis', 'domain', 'command', 'observed')),
    definition TEXT NOT NULL CHECK (json_valid(definition)),
    group_name TEXT NOT NULL DEFAULT '',
    paused INTEGER NOT NULL DEFAULT 0 CHECK (paused IN (0, 1)),
    -- Empty: people, in the dashboard or by command. Otherwise the file that describes it.
    owner TEXT NOT NULL DEFAULT '',
    -- Counts up with each change, so that a change to something that has changed meanwhile is noticed.
    version INTEGER NOT NULL DEFAULT 1,
    -- A heartbeat's URL ends with what this is the SHA-256 of.
    token_hash TEXT UNIQUE,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    updated_by TEXT NOT NULL DEFAULT ''
) STRICT;

CREATE TABLE service_tags (
    service_id INTEGER NOT NULL REFERENCES services (id) ON DELETE CASCADE,
    tag TEXT NOT NULL COLLATE NOCASE,
    PRIMARY KEY (tag, service_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX service_tags_of ON service_tags (service_id);

CREATE TABLE service_needs (
    service_id INTEGER NOT NULL REFERENCES services (id) ON DELETE CASCADE,
    needs_id INTEGER NOT NULL REFERENCES services (id) ON DELETE CASCADE,
    PRIMARY KEY (service_id, needs_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX service_needs_by_needed ON service_needs (needs_id);

-- How each service is now: what the next finding is judged from, and what lists show.
CREATE TABLE service_states (
    service_id INTEGER PRIMARY KEY REFERENCES services (id) ON DELETE CASCADE,
    status TEXT NOT NULL DEFAULT 'unknown' CHECK (status IN ('unknown', 'pending', 'healthy', 'degraded', 'down',
        'timeout', 'blocked', 'maintenance', 'paused')),
    since INTEGER NOT NULL,
    failures INTEGER NOT NULL DEFAULT 0,
    failing_since INTEGER,
    incident_id INTEGER REFERENCES incidents (id) ON DELETE SET NULL,
    checked_at INTEGER,
    latency_us INTEGER,
    cause TEXT,
    detail TEXT NOT NULL DEFAULT '',
    -- The last findings, one letter each, the newest last.
    beats TEXT NOT NULL DEFAULT '',
    certificate TEXT CHECK (certificate IS NULL OR json_valid(certificate)),
    flapping_since INTEGER,
    -- Of heartbeats: the last sign of life, and a start that no end has followed.
    heard_at INTEGER,
    begun_at INTEGER,
    -- Up to here its rollups are made.
    rolled_to INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX service_states_by_status ON service_states (status);
CREATE INDEX service_states_by_incident ON service_states (incident_id);

-- Every finding, for two days.
CREATE TABLE results (
    service_id INTEGER NOT NULL REFERENCES services (id) ON DELETE CASCADE,
    at INTEGER NOT NULL,
    -- As in `beats`.
    beat TEXT NOT NULL,
    latency_us INTEGER,
    -- ms of the phases, msgpack.
    phases BLOB,
    detail TEXT,
    PRIMARY KEY (service_id, at)
) STRICT, WITHOUT ROWID;

-- From a time on, a service had a status.
CREATE TABLE service_changes (
    service_id INTEGER NOT NULL REFERENCES services (id) ON DELETE CASCADE,
    at INTEGER NOT NULL,
    status TEXT NOT NULL,
    PRIMARY KEY (service_id, at)
) STRICT, WITHOUT ROWID;

-- Sums of minutes (span 60), hours (3600) and days (86400, UTC).
CREATE TABLE rollups (
    service_id INTEGER NOT NULL REFERENCES services (id) ON DELETE CASCADE,
    span INTEGER NOT NULL CHECK (span IN (60, 3600, 86400)),
    at INTEGER NOT NULL,
    checks INTEGER NOT NULL DEFAULT 0,
    failures INTEGER NOT NULL DEFAULT 0,
    total_us INTEGER NOT NULL DEFAULT 0,
    low_us INTEGER,
    high_us INTEGER,
    -- Latencies by class (schema.latency); hours and days alone.
    histogram BLOB,
    worked_ms INTEGER NOT NULL DEFAULT 0,
    failed_ms INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (service_id, span, at)
) STRICT, WITHOUT ROWID;

CREATE TABLE incidents (
    id INTEGER PRIMARY KEY,
    service_id INTEGER NOT NULL REFERENCES services (id) ON DELETE CASCADE,
    began_at TEXT NOT NULL,
    ended_at TEXT,
    -- How it ended: a probe that was healthy again, or a person who paused or deleted the service.
    ended_by TEXT,
    cause TEXT NOT NULL,
    detail TEXT NOT NULL DEFAULT '',
    acknowledged_at TEXT,
    acknowledged_by TEXT,
    reminded_at TEXT,
    trigger_id INTEGER
) STRICT;
CREATE INDEX incidents_of_service ON incidents (service_id, id);
CREATE INDEX incidents_open ON incidents (id) WHERE ended_at IS NULL;

-- What happened in an incident: findings, notes of people, sessions and what they did.
CREATE TABLE incident_entries (
    id INTEGER PRIMARY KEY,
    incident_id INTEGER NOT NULL REFERENCES incidents (id) ON DELETE CASCADE,
    at TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('began', 'finding', 'told', 'acknowledged', 'note', 'session', 'action', 'ended')),
    text TEXT NOT NULL,
    author TEXT,
    session_id INTEGER REFERENCES sessions (id) ON DELETE SET NULL
) STRICT;
CREATE INDEX incident_entries_of ON incident_entries (incident_id, id);
CREATE INDEX incident_entries_by_session ON incident_entries (session_id);

CREATE TABLE maintenance_windows (
    id INTEGER PRIMARY KEY,
    title TEXT NOT NULL,
    definition TEXT NOT NULL CHECK (json_valid(definition)),
    owner TEXT NOT NULL DEFAULT '',
    created_at TEXT NOT NULL,
    created_by TEXT NOT NULL DEFAULT ''
) STRICT;

-- What people are told of services.
CREATE TABLE notifications_new (
    id INTEGER PRIMARY KEY AUTOINCREMENT,   -- stands in the message, so that a repeat is known as one
    key TEXT UNIQUE,                    -- same key, same thing: it is told once; NULL: always another
    kind TEXT NOT NULL CHECK (kind IN ('event', 'service', 'attention', 'session', 'approval', 'budget', 'daemon',
        'digest', 'test')),
    level TEXT NOT NULL CHECK (level IN ('info', 'warning', 'critical')),
    title TEXT NOT NULL,
    body TEXT NOT NULL DEFAULT '',
    link TEXT NOT NULL DEFAULT '',      -- a path of the dashboard
    session_id INTEGER,                 -- may be gone by the time anybody looks
    approval_id INTEGER,
    channel TEXT,                       -- the only channel that it is for; NULL: by the rules
    created_at TEXT NOT NULL,
    routed_at TEXT                      -- when its deliveries were made; NULL: not yet
) STRICT;
INSERT INTO notifications_new SELECT id, key, kind, level, title, body, link, session_id, approval_id, channel,
    created_at, routed_at FROM notifications;
UPDATE sqlite_sequence SET seq = (SELECT seq FROM sqlite_sequence WHERE name = 'notifications')
WHERE name = 'notifications_new' AND EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'notifications');
DROP TABLE notifications;
ALTER TABLE notifications_new RENAME TO notifications;
CREATE INDEX notifications_unrouted ON notifications (id) WHERE routed_at IS NULL;
CREATE INDEX notifications_by_time ON notifications (created_at);
