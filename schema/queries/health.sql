-- add --
-- What a session found of a service.
INSERT INTO health_checks (session_id, service, check_type, status, error_detail, checked_at, tier)
VALUES (:session_id, :service, :check_type, :status, :detail, :checked_at, :tier);

-- streak --
-- Counts a check towards the healthy ones in a row: `healthy` 1 adds `counts`, 0 begins anew. How many there are now.
INSERT INTO service_health_streak (service, consecutive_healthy, last_checked_at, status, since)
VALUES (:service, :healthy * :counts, :checked_at, :status, :checked_at)
ON CONFLICT (service) DO UPDATE SET consecutive_healthy = :healthy * (consecutive_healthy + :counts),
       last_checked_at = :checked_at, status = :status,
       since = CASE WHEN status IS :status AND since IS NOT NULL THEN since ELSE :checked_at END
RETURNING consecutive_healthy;

-- last_action --
-- When the last restart or redeployment of a service that still counts was; NULL without one.
SELECT max(timestamp) FROM cooldown_actions
WHERE service = :service
  AND id > coalesce((SELECT cleared_action FROM service_health_streak WHERE service = :service), 0);

-- healthy_since --
-- How often a service was found healthy after a time, by sessions that were no dry run.
SELECT count(*) FROM health_checks JOIN sessions ON sessions.id = health_checks.session_id
WHERE health_checks.service = :service AND health_checks.checked_at > :since AND health_checks.status = 'healthy'
  AND sessions.dry_run = 0;

-- services --
-- Services after a name, each with what its last check said; one of the Go program's may have none.
SELECT s.service, coalesce(s.status, h.status) AS status, coalesce(s.last_checked_at, h.checked_at) AS checked_at,
       s.consecutive_healthy AS healthy_checks, h.error_detail AS detail, h.session_id
FROM service_health_streak s
LEFT JOIN health_checks h ON h.id = (SELECT id FROM health_checks WHERE service = s.service
                                     ORDER BY checked_at DESC, id DESC LIMIT 1)
WHERE s.service > :after ORDER BY s.service LIMIT :limit;

-- checks_of --
-- The newest checks of a service, newest first.
SELECT * FROM health_checks WHERE service = :service ORDER BY checked_at DESC, id DESC LIMIT :limit;

-- told_action --
-- The first action of a service that the hook counted in a session, and of which nothing was told yet.
SELECT id FROM cooldown_actions
WHERE session_id = :session_id AND service = :service AND action_type = :action
  AND tool_use_id IS NOT NULL AND told = 0
ORDER BY id LIMIT 1;

-- tell_action --
-- How a counted action went.
UPDATE cooldown_actions SET success = :success, error = :error, told = 1 WHERE id = :id;

-- add_action --
-- An action that a session tells of and that was not seen at a tool call.
INSERT INTO cooldown_actions (service, action_type, timestamp, success, tier, error, session_id, told)
VALUES (:service, :action, :at, :success, :tier, :error, :session_id, 1);

-- refused_calls --
-- What the calls of a session that were not allowed would have done, JSON.
SELECT found FROM calls WHERE session_id = :session_id AND decision <> 'allow';
