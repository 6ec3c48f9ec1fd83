-- add --
-- Something worth knowing that a session, or the daemon, said.
INSERT INTO events (session_id, level, service, message, created_at)
VALUES (:session_id, :level, :service, :message, :created_at)
RETURNING *;

-- page --
-- A page of events, newest first, below an id.
SELECT * FROM events WHERE id < :before ORDER BY id DESC LIMIT :limit;

-- page_by_level --
-- A page of events of one level.
SELECT * FROM events WHERE level = :level AND id < :before ORDER BY id DESC LIMIT :limit;

-- page_by_service --
-- A page of events of one service, and of one level (NULL: any).
SELECT * FROM events
WHERE service = :service AND id < :before AND (:level IS NULL OR level = :level)
ORDER BY id DESC LIMIT :limit;

-- page_by_session --
-- A page of events of one session, and of one service and level (NULL: any).
SELECT * FROM events
WHERE session_id = :session_id AND id < :before
  AND (:service IS NULL OR service = :service) AND (:level IS NULL OR level = :level)
ORDER BY id DESC LIMIT :limit;
