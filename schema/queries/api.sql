-- sessions --
-- Sessions as the API lists them, newest first, below an id.
SELECT id, tier, model, status, started_at, ended_at, exit_code, cost_usd, num_turns, duration_ms, trigger, prompt_text,
       parent_session_id, chain_id, requested_by, reason, summary, dry_run
FROM sessions WHERE id < :before ORDER BY id DESC LIMIT :limit OFFSET :offset;

-- sessions_of_status --
-- The same of one status.
SELECT id, tier, model, status, started_at, ended_at, exit_code, cost_usd, num_turns, duration_ms, trigger, prompt_text,
       parent_session_id, chain_id, requested_by, reason, summary, dry_run
FROM sessions WHERE status = :status AND id < :before ORDER BY id DESC LIMIT :limit OFFSET :offset;

-- children --
-- The sessions that one handed over to, as the API lists them.
SELECT id, tier, model, status, started_at, ended_at, exit_code, cost_usd, num_turns, duration_ms, trigger, prompt_text,
       parent_session_id, chain_id, requested_by, reason, summary, dry_run
FROM sessions WHERE parent_session_id = :id ORDER BY id;

-- chain_cost --
-- Dollars that a chain has cost; NULL as long as none of its sessions has told.
SELECT sum(cost_usd) FROM sessions WHERE id = :chain OR chain_id = :chain;

-- events --
-- Events, newest first, below an id.
SELECT id, session_id, level, service, message, created_at FROM events
WHERE id < :before ORDER BY id DESC LIMIT :limit OFFSET :offset;

-- events_of_level --
-- The same of one level.
SELECT id, session_id, level, service, message, created_at FROM events
WHERE level = :level AND id < :before ORDER BY id DESC LIMIT :limit OFFSET :offset;

-- events_of_service --
-- The same of one service.
SELECT id, session_id, level, service, message, created_at FROM events
WHERE service = :service AND id < :before ORDER BY id DESC LIMIT :limit OFFSET :offset;

-- events_of_service_and_level --
-- The same of one service and level.
SELECT id, session_id, level, service, message, created_at FROM events
WHERE service = :service AND level = :level AND id < :before ORDER BY id DESC LIMIT :limit OFFSET :offset;

-- memories --
-- Memories of one service and category (NULL: any), the most certain first.
SELECT id, service, category, observation, confidence, active, created_at, updated_at, session_id, tier FROM memories
WHERE confidence >= 0 AND (:service IS NULL OR service = :service) AND (:category IS NULL OR category = :category)
ORDER BY confidence DESC, active DESC, id DESC LIMIT :limit OFFSET :offset;

-- triggers --
-- Triggers, newest first, below an id.
SELECT * FROM triggers WHERE id < :before ORDER BY id DESC LIMIT :limit OFFSET :offset;

-- triggers_of_status --
-- The same of one status.
SELECT * FROM triggers WHERE status = :status AND id < :before ORDER BY id DESC LIMIT :limit OFFSET :offset;

-- approvals --
-- Approvals, newest first, below an id.
SELECT * FROM approvals WHERE id < :before ORDER BY id DESC LIMIT :limit OFFSET :offset;

-- approvals_of_status --
-- The same of one status.
SELECT * FROM approvals WHERE status = :status AND id < :before ORDER BY id DESC LIMIT :limit OFFSET :offset;

-- audit --
-- The audit log, newest first, below an id.
SELECT id, at, actor, action, session_id, subject, rule, detail FROM audit
WHERE id < :before ORDER BY id DESC LIMIT :limit OFFSET :offset;

-- audit_of_action --
-- The same of one action.
SELECT id, at, actor, action, session_id, subject, rule, detail FROM audit
WHERE action = :action AND id < :before ORDER BY id DESC LIMIT :limit OFFSET :offset;

-- audit_of_session --
-- The same of one session, and of one action (NULL: of any); a session makes a bounded number of lines.
SELECT id, at, actor, action, session_id, subject, rule, detail FROM audit
WHERE session_id = :session AND id < :before AND (:action IS NULL OR action = :action)
ORDER BY id DESC LIMIT :limit OFFSET :offset;

-- totals --
-- Over all sessions: dollars, and the mean of the durations that are known.
SELECT total(cost_usd) AS cost_usd, coalesce(avg(duration_ms), 0.0) AS duration_ms FROM sessions;

-- handed_over --
-- How many sessions were started by another that handed over to them.
SELECT count(*) FROM sessions WHERE parent_session_id IS NOT NULL;

-- repairs --
-- How many sessions of tier 3 there were.
SELECT count(*) FROM sessions WHERE tier = 3;

-- hand_overs_waiting --
-- How many hand-overs wait for their tier.
SELECT count(*) FROM triggers WHERE status = 'waiting' AND kind = 'escalation';

-- active_memories --
-- How many memories are told to sessions.
SELECT count(*) FROM memories WHERE confidence >= 0 AND active = 1;

-- critical_since --
-- How many critical events there were since a time.
SELECT count(*) FROM events WHERE level = 'critical' AND created_at >= :since;
