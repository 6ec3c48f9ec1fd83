-- API tokens, people who can be disabled, links that set one person's password, and an audit log that is a chain.

ALTER TABLE users ADD COLUMN disabled_at TEXT;      -- NULL: may sign in
ALTER TABLE users ADD COLUMN seen_at TEXT;          -- when a sign-in was made, or was used last, to the hour
CREATE INDEX users_by_role ON users (role);

-- What programs show as `Authorization: Bearer`. A token is never stored, only its SHA-256.
CREATE TABLE api_tokens (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL COLLATE NOCASE,
    role TEXT NOT NULL CHECK (role IN ('viewer', 'operator', 'admin')),
    scopes TEXT NOT NULL,               -- words with a space between: read, act, metrics
    token_hash TEXT NOT NULL UNIQUE,
    created_at TEXT NOT NULL,
    created_by TEXT NOT NULL,
    expires_at TEXT,                    -- NULL: until it is revoked
    last_used_at TEXT,                  -- to the minute
    last_used_from TEXT,
    revoked_at TEXT,
    revoked_by TEXT
) STRICT;
CREATE UNIQUE INDEX api_tokens_live ON api_tokens (name) WHERE revoked_at IS NULL;

-- One-time links with which one person sets a password. Apart from setup links, which make admins.
CREATE TABLE password_links (
    token_hash TEXT PRIMARY KEY,
    user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    created_at TEXT NOT NULL,
    expires_at TEXT NOT NULL,
    used_at TEXT
) STRICT;
CREATE INDEX password_links_by_user ON password_links (user_id);
CREATE INDEX password_links_by_expiry ON password_links (expires_at);

-- Each line carries the hash of the one before and of itself; see schema/audit_chain.py, which fills them in for lines
-- that are there. A line names its session without a reference: it outlives it, and may not be changed for it.
CREATE TABLE audit_new (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at TEXT NOT NULL,
    actor TEXT NOT NULL,                -- a person, `token:` and its name, `rules`, or a part of the daemon
    action TEXT NOT NULL,               -- such as call.allow, call.deny, approval.approved, cooldown.reset
    session_id INTEGER,
    subject TEXT NOT NULL,              -- the command, whole, or what the action was done to
    rule TEXT,
    detail TEXT NOT NULL DEFAULT '',
    prev TEXT NOT NULL DEFAULT '',      -- the hash of the line before; empty for the first
    hash TEXT NOT NULL DEFAULT ''
) STRICT;
INSERT INTO audit_new (id, at, actor, action, session_id, subject, rule, detail)
SELECT id, at, actor, action, session_id, subject, rule, detail FROM audit;
-- Ids are never used twice, those of deleted rows neither.
UPDATE sqlite_sequence SET seq = (SELECT seq FROM sqlite_sequence WHERE name = 'audit')
WHERE name = 'audit_new' AND EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'audit');
DROP TABLE audit;
ALTER TABLE audit_new RENAME TO audit;
CREATE INDEX audit_by_action ON audit (action, id);
CREATE INDEX audit_by_session ON audit (session_id, id) WHERE session_id IS NOT NULL;
