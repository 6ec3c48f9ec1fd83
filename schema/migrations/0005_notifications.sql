-- What people are told, and how far each channel has got with it.

CREATE TABLE notifications (
    id INTEGER PRIMARY KEY AUTOINCREMENT,   -- stands in the message, so that a repeat is known as one
    key TEXT UNIQUE,                    -- same key, same thing: it is told once; NULL: always another
    kind TEXT NOT NULL CHECK (kind IN ('event', 'attention', 'session', 'approval', 'budget', 'daemon', 'digest',
        'test')),
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
CREATE INDEX notifications_unrouted ON notifications (id) WHERE routed_at IS NULL;
CREATE INDEX notifications_by_time ON notifications (created_at);

CREATE TABLE deliveries (
    id INTEGER PRIMARY KEY,
    notification_id INTEGER NOT NULL REFERENCES notifications (id) ON DELETE CASCADE,
    channel TEXT NOT NULL,              -- its name, never its URL
    status TEXT NOT NULL CHECK (status IN ('pending', 'sending', 'retrying', 'sent', 'given_up', 'suppressed')),
    urgent INTEGER NOT NULL,            -- quiet hours do not hold it
    attempts INTEGER NOT NULL DEFAULT 0,
    since TEXT NOT NULL,                -- from when the time counts after which it is given up
    next_at TEXT NOT NULL,              -- not before
    changed_at TEXT NOT NULL,
    together INTEGER NOT NULL DEFAULT 1,    -- how many notifications the message held
    error TEXT,                         -- why the last attempt failed, free of secrets
    UNIQUE (notification_id, channel)
) STRICT;
CREATE INDEX deliveries_open ON deliveries (channel, notification_id) WHERE status IN ('pending', 'sending', 'retrying');
CREATE INDEX deliveries_by_status ON deliveries (channel, status, changed_at);
