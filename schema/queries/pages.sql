-- approvals_waiting --
-- Calls that wait for a person, the one that expires first at the top.
SELECT * FROM approvals WHERE status = 'waiting' ORDER BY expires_at LIMIT :limit;

-- approvals_count --
-- How many calls wait for a person.
SELECT count(*) FROM approvals WHERE status = 'waiting';

-- approvals_decided --
-- Approvals that wait no more, newest first, below an id.
SELECT * FROM approvals WHERE id < :before AND status <> 'waiting' ORDER BY id DESC LIMIT :limit;

-- approval --
-- One approval.
SELECT * FROM approvals WHERE id = :id;

-- approvals_of_session --
-- Every approval of a session.
SELECT * FROM approvals WHERE session_id = :session_id;

-- approvals_alike --
-- Waiting calls that are the same as one, byte for byte.
SELECT * FROM approvals WHERE status = 'waiting' AND tool = :tool AND input_hash = :input_hash;

-- approval_hash --
-- What makes an approval's call the same as another's.
SELECT input_hash FROM approvals WHERE id = :id;

-- rules --
-- Standing rules, newest first.
SELECT * FROM approval_rules WHERE id < :before ORDER BY id DESC LIMIT :limit;

-- rule --
-- One standing rule.
SELECT * FROM approval_rules WHERE id = :id;

-- triggers_of_tier --
-- What waits for a tier, in the order in which it will start.
SELECT * FROM triggers WHERE status = 'waiting' AND choosing = 0 AND tier = :tier ORDER BY priority, id LIMIT :limit;

-- triggers_count --
-- How many triggers wait.
SELECT count(*) FROM triggers WHERE status = 'waiting';

-- triggers_past --
-- Triggers that wait no more, newest first, below an id.
SELECT * FROM triggers WHERE id < :before AND status <> 'waiting' ORDER BY id DESC LIMIT :limit;

-- triggers_refused --
-- The newest triggers that can't ever start.
SELECT * FROM triggers WHERE status = 'refused' ORDER BY id DESC LIMIT :limit;

-- trigger --
-- One trigger.
SELECT * FROM triggers WHERE id = :id;

-- trigger_of_child --
-- The trigger by which a session hands over to the next tier.
SELECT * FROM triggers WHERE kind = 'escalation' AND parent_session_id = :session_id;

-- chain --
-- The sessions of a chain after its first, in order.
SELECT * FROM sessions WHERE chain_id = :chain ORDER BY id;

-- children --
-- The sessions that one handed over to.
SELECT id FROM sessions WHERE parent_session_id = :id ORDER BY id LIMIT 10;

-- calls --
-- A session's judged calls, with what a person decided.
SELECT calls.id, calls.tool_use_id, calls.tool, calls.decision, calls.rule, calls.reason, calls.found,
       approvals.id AS approval_id, approvals.status AS approval, approvals.decided_by, approvals.answer
FROM calls LEFT JOIN approvals
    ON approvals.session_id = calls.session_id AND approvals.tool_use_id = calls.tool_use_id
WHERE calls.session_id = :session_id LIMIT 5000;

-- actions --
-- Restarts and redeployments, newest first.
SELECT * FROM cooldown_actions WHERE id < :before ORDER BY id DESC LIMIT :limit;

-- services_down --
-- The services that were down when they were last looked at.
SELECT service, status FROM service_health_streak
WHERE status IN ('down', 'unreachable') AND last_checked_at >= :since;

-- attention --
-- The newest critical events, among them those that ask for a person.
SELECT * FROM events WHERE level = 'critical' AND created_at >= :since ORDER BY created_at DESC LIMIT :limit;

-- newest_event --
-- The highest id; NULL without events.
SELECT max(id) FROM events;

-- events --
-- Events that match filters (NULL: any), newest first, among the ids from a floor up to below an id.
SELECT id, session_id, level, service, message, created_at FROM events
WHERE id < :before AND id >= :floor
  AND (:level IS NULL OR level = :level) AND (:service IS NULL OR service = :service)
ORDER BY id DESC LIMIT :limit;

-- events_of_session --
-- Events of a session that match filters (NULL: any), newest first, below an id.
SELECT id, session_id, level, service, message, created_at FROM events
WHERE session_id = :session_id AND id < :before
  AND (:level IS NULL OR level = :level) AND (:service IS NULL OR service = :service)
ORDER BY id DESC LIMIT :limit;

-- events_after --
-- Events above an id, oldest first.
SELECT id, session_id, level, service, message, created_at FROM events WHERE id > :after ORDER BY id LIMIT :limit;

-- memories --
-- The newest memories of one service and category (NULL: any), active or not (NULL: either).
SELECT id, service, category, observation, confidence, active, created_at, updated_at, session_id, tier
FROM memories
WHERE id > 0 AND (:service IS NULL OR service = :service) AND (:category IS NULL OR category = :category)
  AND (:active IS NULL OR active = :active)
ORDER BY id DESC LIMIT :limit;

-- memories_of --
-- All memories of one service (NULL: of none) that are active, or all that aren't, above an id: the next of an export.
SELECT id, service, category, observation, confidence, active, created_at, updated_at, session_id, tier
FROM memories
WHERE service IS :service AND active = :active AND id > :above AND (:category IS NULL OR category = :category)
ORDER BY id LIMIT :limit;

-- memory_services --
-- Every service that there is a memory of.
SELECT DISTINCT service FROM memories WHERE service >= '' ORDER BY service;

-- memory_categories --
-- Every category of memories.
SELECT DISTINCT category FROM memories WHERE category >= '' ORDER BY category;

-- memory --
-- One memory.
SELECT id, service, category, observation, confidence, active, created_at, updated_at, session_id, tier
FROM memories WHERE id = :id;

-- newest_audit --
-- The highest id; NULL without entries.
SELECT max(id) FROM audit;

-- audit --
-- The audit log, newest first, below an id.
SELECT * FROM audit WHERE id < :before ORDER BY id DESC LIMIT :limit;

-- audit_of_action --
-- The audit log of one action, newest first, below an id.
SELECT * FROM audit WHERE action = :action AND id < :before ORDER BY id DESC LIMIT :limit;

-- audit_of_session --
-- The audit log of a session, of one action if given (NULL: any), newest first, below an id.
SELECT * FROM audit WHERE session_id = :session_id AND id < :before AND (:action IS NULL OR action = :action)
ORDER BY id DESC LIMIT :limit;
