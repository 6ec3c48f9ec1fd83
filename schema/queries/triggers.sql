-- add --
-- Puts a trigger into the queue; one that waits with the same key takes it in.
INSERT INTO triggers (kind, status, tier, priority, prompt, context, key, requested_by, created_at, updated_at,
                      parent_session_id)
VALUES (:kind, 'waiting', :tier, :priority, :prompt, :context, :key, :requested_by, :now, :now, :parent_session_id)
ON CONFLICT (key) WHERE status = 'waiting' AND key IS NOT NULL
DO UPDATE SET merged = merged + 1, updated_at = excluded.updated_at, priority = min(priority, excluded.priority)
RETURNING *;

-- resume --
-- Has a session that waits for a person go on, once; nothing happens to one that does not wait.
INSERT INTO triggers (kind, status, tier, priority, key, requested_by, created_at, updated_at, session_id)
SELECT 'approval', 'waiting', tier, 0, 'approval:' || id, :by, :now, :now, id
FROM sessions WHERE id = :session_id AND status = 'awaiting_approval'
ON CONFLICT (key) WHERE status = 'waiting' AND key IS NOT NULL DO NOTHING;

-- leave_open --
-- Has a model choose the tier of a trigger that was just added.
UPDATE triggers SET choosing = 1 WHERE id = :id;

-- choosing --
-- What waits for its tier, the first of it.
SELECT * FROM triggers INDEXED BY triggers_waiting
WHERE status = 'waiting' AND choosing = 1 ORDER BY tier, priority, id LIMIT :limit;

-- choose --
-- A trigger has its tier, and stands in that one's line from now on.
UPDATE triggers SET tier = :tier, choosing = 0, updated_at = :now
WHERE id = :id AND status = 'waiting' AND choosing = 1;

-- head --
-- The trigger of a tier that is to start next.
SELECT * FROM triggers INDEXED BY triggers_waiting
WHERE status = 'waiting' AND choosing = 0 AND tier = :tier ORDER BY priority, id LIMIT 1;

-- started --
-- A waiting trigger has its session. Together with the session's row, in one transaction.
UPDATE triggers SET status = 'started', session_id = :session_id, updated_at = :now, attempts = attempts + 1, reason = NULL
WHERE id = :id AND status = 'waiting';

-- again --
-- Its session was killed before anything of it ran: it waits again. A resumption keeps its session.
UPDATE triggers SET status = 'waiting', updated_at = :now, reason = 'the daemon was killed before it could start',
       session_id = CASE WHEN kind = 'approval' THEN session_id END
WHERE id = :id AND status = 'started';

-- refuse --
-- A waiting trigger that can't ever start.
UPDATE triggers SET status = 'refused', reason = :reason, updated_at = :now WHERE id = :id AND status = 'waiting';

-- cancel --
-- A person takes a waiting trigger out.
UPDATE triggers SET status = 'cancelled', reason = :reason, updated_at = :now WHERE id = :id AND status = 'waiting';

-- cancel_resumption --
-- A session that waited for a person was stopped: it does not go on.
UPDATE triggers SET status = 'cancelled', reason = :reason, updated_at = :now
WHERE status = 'waiting' AND key = 'approval:' || :session_id;

-- explain --
-- Why the next of a tier waits.
UPDATE triggers SET reason = :reason WHERE id = :id AND status = 'waiting' AND reason IS NOT :reason;

-- overtaken --
-- What is not the next of its tier any more has no reason of its own.
UPDATE triggers SET reason = NULL WHERE status = 'waiting' AND tier = :tier AND id <> :id AND reason IS NOT NULL;

-- by_id --
-- One trigger.
SELECT * FROM triggers WHERE id = :id;

-- of_session --
-- The newest trigger that started or resumed a session.
SELECT * FROM triggers WHERE session_id = :session_id ORDER BY id DESC LIMIT 1;

-- count_waiting --
-- How many wait.
SELECT count(*) FROM triggers WHERE status = 'waiting';

-- waiting --
-- What waits, in the order in which it will start, tier by tier; at the end that which has no tier yet.
SELECT * FROM triggers INDEXED BY triggers_waiting
WHERE status = 'waiting' ORDER BY choosing, tier, priority, id LIMIT :limit;

-- line --
-- What waits in the lines of the tiers, in the order in which it will start, and nothing else of it.
SELECT id, tier FROM triggers INDEXED BY triggers_waiting
WHERE status = 'waiting' AND choosing = 0 ORDER BY tier, priority, id;

-- page --
-- A page of triggers, newest first, below an id.
SELECT * FROM triggers WHERE id < :before ORDER BY id DESC LIMIT :limit;

-- page_by_status --
-- A page of triggers of one status.
SELECT * FROM triggers WHERE status = :status AND id < :before ORDER BY id DESC LIMIT :limit;

-- waits_by_key --
-- The waiting trigger of a key.
SELECT * FROM triggers WHERE status = 'waiting' AND key = :key;

-- count_waiting_alerts --
-- How many alerts wait.
SELECT count(*) FROM triggers INDEXED BY triggers_waiting WHERE status = 'waiting' AND kind = 'alert';

-- waits_in_chain --
-- The trigger by which a chain is to go on: an escalation of one of its sessions, or a resumption.
SELECT triggers.* FROM sessions JOIN triggers
    ON triggers.parent_session_id = sessions.id AND triggers.kind = 'escalation' AND triggers.status = 'waiting'
WHERE sessions.chain_id = :chain OR sessions.id = :chain LIMIT 1;

-- last_of_kind --
-- The newest trigger of a kind.
SELECT * FROM triggers WHERE kind = :kind ORDER BY id DESC LIMIT 1;
