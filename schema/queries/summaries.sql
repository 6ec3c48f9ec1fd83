-- missing --
-- Sessions above an id that ended with an answer and have no summary yet, newest first.
SELECT id FROM sessions
WHERE id > :above AND summary IS NULL AND response IS NOT NULL AND status NOT IN ('running', 'awaiting_approval')
ORDER BY id DESC LIMIT :limit;

-- set --
-- The summary of a session that has none.
UPDATE sessions SET summary = :summary WHERE id = :id AND summary IS NULL;
