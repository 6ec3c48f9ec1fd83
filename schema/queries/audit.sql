-- add --
-- What was decided or changed, and by whom.
INSERT INTO audit (at, actor, action, session_id, subject, rule, detail, prev)
VALUES (:at, :actor, :action, :session_id, :subject, :rule, :detail, :prev) RETURNING id;

-- seal --
-- The hash of a line, once its id is known.
UPDATE audit SET hash = :hash WHERE id = :id;

-- head --
-- The hash of the last line.
SELECT hash FROM audit WHERE id = (SELECT max(id) FROM audit);

-- chain --
-- The audit log by id, oldest first, above an id.
SELECT * FROM audit WHERE id > :after ORDER BY id LIMIT :limit;

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
