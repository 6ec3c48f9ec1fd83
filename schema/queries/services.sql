-- page --
-- Services after a name, by name: what sessions found of each last. One whose counters alone are known has no check.
SELECT service, status, since, last_checked_at AS checked_at, consecutive_healthy AS healthy_checks
FROM service_health_streak WHERE service > :after AND last_checked_at IS NOT NULL ORDER BY service LIMIT :limit;

-- one --
-- One service.
SELECT service, status, since, last_checked_at AS checked_at, consecutive_healthy AS healthy_checks
FROM service_health_streak WHERE service = :service;

-- trouble --
-- Every service that was not healthy when it was last looked at.
SELECT service, status, since, last_checked_at AS checked_at, consecutive_healthy AS healthy_checks
FROM service_health_streak WHERE status <> 'healthy' AND last_checked_at IS NOT NULL LIMIT :limit;

-- count --
-- How many services have ever been looked at.
SELECT count(*) FROM service_health_streak WHERE last_checked_at IS NOT NULL;

-- checks --
-- Checks of a service before a time and id, newest first.
SELECT id, session_id, service, check_type, status, response_time_ms, error_detail, checked_at, tier FROM health_checks
WHERE service = :service AND (checked_at, id) < (:at, :before) ORDER BY checked_at DESC, id DESC LIMIT :limit;

-- statuses --
-- What the newest checks of a service found, newest first.
SELECT status FROM health_checks WHERE service = :service ORDER BY checked_at DESC, id DESC LIMIT :limit;

-- hours --
-- Checks of a service by the hour, from an hour on.
SELECT hour, checks, healthy, degraded, down, timed, total_ms FROM health_hours
WHERE service = :service AND hour >= :since ORDER BY hour;

-- share --
-- How many checks of a service there were from an hour on, and how many found it healthy.
SELECT coalesce(sum(checks), 0) AS checks, coalesce(sum(healthy), 0) AS healthy FROM health_hours
WHERE service = :service AND hour >= :since;

-- actions --
-- Restarts and redeployments of a service below an id, newest first: how each was let through, and who approved it.
SELECT a.id, a.service, a.action_type, a.timestamp, a.success, a.tier, a.error, a.session_id, c.rule,
       p.id AS approval_id, p.decided_by
FROM cooldown_actions a
LEFT JOIN calls c ON c.session_id = a.session_id AND c.tool_use_id = a.tool_use_id
LEFT JOIN approvals p ON p.session_id = a.session_id AND p.tool_use_id = a.tool_use_id
WHERE a.service = :service AND a.id < :before ORDER BY a.id DESC LIMIT :limit;

-- events --
-- The newest events of a service.
SELECT id, session_id, level, service, message, created_at FROM events INDEXED BY events_of_service
WHERE service = :service ORDER BY id DESC LIMIT :limit;

-- memories --
-- What sessions are told about a service.
SELECT id, service, category, observation, confidence, active, created_at, updated_at, session_id, tier
FROM memories WHERE service = :service AND active = 1 LIMIT :limit;
