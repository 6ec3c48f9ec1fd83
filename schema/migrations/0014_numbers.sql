-- rebuilds tables --
-- Services, incidents, maintenance windows and status pages: a number is given once, and never again to another.
-- SQLite gives no table AUTOINCREMENT later on: each is written once more, as it stood.

CREATE TABLE services_new (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
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
INSERT INTO services_new (id, name, url, kind, definition, group_name, paused, owner, version, token_hash, created_at,
    updated_at, updated_by)
SELECT id, name, url, kind, definition, group_name, paused, owner, version, token_hash, created_at, updated_at, updated_by
FROM services;
DROP TABLE services;
ALTER TABLE services_new RENAME TO services;
CREATE INDEX services_observed ON services (url) WHERE kind = 'observed';

CREATE TABLE incidents_new (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
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
INSERT INTO incidents_new (id, service_id, began_at, ended_at, ended_by, cause, detail, acknowledged_at, acknowledged_by,
    reminded_at, trigger_id)
SELECT id, service_id, began_at, ended_at, ended_by, cause, detail, acknowledged_at, acknowledged_by, reminded_at,
    trigger_id
FROM incidents;
DROP TABLE incidents;
ALTER TABLE incidents_new RENAME TO incidents;
CREATE INDEX incidents_of_service ON incidents (service_id, id);
CREATE INDEX incidents_open ON incidents (id) WHERE ended_at IS NULL;
-- Which trigger an incident has put into the queue; it has one at most.
CREATE UNIQUE INDEX incidents_by_trigger ON incidents (trigger_id) WHERE trigger_id IS NOT NULL;
CREATE INDEX incidents_started ON incidents (service_id, id) WHERE trigger_id IS NOT NULL;
CREATE INDEX incidents_by_time ON incidents (began_at);

CREATE TABLE maintenance_windows_new (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    title TEXT NOT NULL,
    definition TEXT NOT NULL CHECK (json_valid(definition)),
    owner TEXT NOT NULL DEFAULT '',
    created_at TEXT NOT NULL,
    created_by TEXT NOT NULL DEFAULT ''
) STRICT;
INSERT INTO maintenance_windows_new (id, title, definition, owner, created_at, created_by)
SELECT id, title, definition, owner, created_at, created_by FROM maintenance_windows;
DROP TABLE maintenance_windows;
ALTER TABLE maintenance_windows_new RENAME TO maintenance_windows;

CREATE TABLE status_pages_new (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    -- The end of its address.
    slug TEXT NOT NULL UNIQUE COLLATE NOCASE,
    title TEXT NOT NULL,
    description TEXT NOT NULL DEFAULT '',
    -- What is not published is not there for who has no sign-in.
    published INTEGER NOT NULL DEFAULT 0 CHECK (published IN (0, 1)),
    -- Lists of texts: services with one of these tags, or in one of these groups, are shown beside those that are chosen.
    tags TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(tags)),
    groups TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(groups)),
    -- Counts up with each change, so that a change to something that has changed meanwhile is noticed.
    version INTEGER NOT NULL DEFAULT 1,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    updated_by TEXT NOT NULL DEFAULT '',
    -- Whether it also says how fast its services answer.
    latency INTEGER NOT NULL DEFAULT 0 CHECK (latency IN (0, 1))
) STRICT;
INSERT INTO status_pages_new (id, slug, title, description, published, tags, groups, version, created_at, updated_at,
    updated_by, latency)
SELECT id, slug, title, description, published, tags, groups, version, created_at, updated_at, updated_by, latency
FROM status_pages;
DROP TABLE status_pages;
ALTER TABLE status_pages_new RENAME TO status_pages;

-- A table of which nothing is left counts from the beginning, unless something else remembers a number.
INSERT INTO sqlite_sequence (name, seq) SELECT column1, 0
FROM (VALUES ('services'), ('incidents'), ('maintenance_windows'), ('status_pages'))
WHERE column1 NOT IN (SELECT name FROM sqlite_sequence);
-- People were told of services and incidents that are gone: a key of theirs that came again would be told to nobody, and
-- their link would lead to another. A text as a number is the digits that it begins with.
UPDATE sqlite_sequence
SET seq = max(seq, coalesce((SELECT max(CAST(substr(key, 10) AS INTEGER)) FROM notifications
                             WHERE key >= 'incident:' AND key < 'incident;'), 0))
WHERE name = 'incidents';
UPDATE sqlite_sequence
SET seq = max(seq, coalesce((SELECT max(CAST(substr(link, 11) AS INTEGER)) FROM notifications
                             WHERE kind = 'service' AND link LIKE '/services/%'), 0))
WHERE name = 'services';
