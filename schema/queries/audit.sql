-- add --
-- What was decided or changed, and by whom.
INSERT INTO audit (at, actor, action, session_id, subject, rule, detail)
VALUES (:at, :actor, :action, :session_id, :subject, :rule, :detail);

-- page --
-- The audit log, newest first, below an id.
SELECT * FROM audit WHERE id < :before ORDER BY id DESC LIMIT :limit;

-- page_by_action --
-- The audit log of one action, newest first, below an id.
SELECT * FROM audit WHERE action = :action AND id < :before ORDER BY id DESC LIMIT :limit;

-- page_by_session --
-- The audit log of one session, and of one action (NULL: any), newest first, below an id.
SELECT * FROM audit WHERE session_id = :session_id AND id < :before AND (:action IS NULL OR action = :action)
ORDER BY id DESC LIMIT :limit;
