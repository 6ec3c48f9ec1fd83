-- add --
-- Notes that a session has said something; changes nothing if it has said it before.
INSERT INTO said (session_id, kind, key) VALUES (:session_id, :kind, :key) ON CONFLICT DO NOTHING;

-- has --
-- Whether a session has said something.
SELECT count(*) FROM said WHERE session_id = :session_id AND kind = :kind AND key = :key;

-- count --
-- How much of a kind a session has said.
SELECT count(*) FROM said WHERE session_id = :session_id AND kind = :kind;

-- forget --
-- What sessions said that are older than all that still may say something.
DELETE FROM said WHERE session_id < coalesce((
    SELECT min(id) FROM sessions WHERE status IN ('running', 'awaiting_approval')
), 9223372036854775807);
