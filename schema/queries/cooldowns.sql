-- used --
-- When a service's actions of a type were, those that count: after a time and after its counters began anew.
SELECT timestamp FROM cooldown_actions
WHERE service = :service AND action_type = :action AND timestamp > :since
  AND id > coalesce((SELECT cleared_action FROM service_health_streak WHERE service = :service), 0)
ORDER BY timestamp DESC;

-- count --
-- Counts an action together with the verdict that lets it run. How it went is told later, if at all.
INSERT INTO cooldown_actions (service, action_type, timestamp, success, tier, session_id, tool_use_id)
VALUES (:service, :action, :now, 1, :tier, :session_id, :tool_use_id);

-- counting --
-- All actions after a time that still count, newest first, with the healthy checks of their services.
SELECT a.id, a.service, a.action_type, a.timestamp, a.success, a.tier, a.error, a.session_id,
       coalesce(s.consecutive_healthy, 0) AS healthy_checks
FROM cooldown_actions a LEFT JOIN service_health_streak s ON s.service = a.service
WHERE a.timestamp > :since AND a.id > coalesce(s.cleared_action, 0)
ORDER BY a.timestamp DESC LIMIT :limit;

-- newest --
-- The newest actions, whether they count or not.
SELECT id, service, action_type, timestamp, success, tier, error, session_id
FROM cooldown_actions WHERE id > 0 ORDER BY id DESC LIMIT :limit;

-- known --
-- Whether anything was ever counted for a service.
SELECT 1 FROM cooldown_actions WHERE service = :service LIMIT 1;

-- clear --
-- Lets the counters of a service begin anew.
INSERT INTO service_health_streak (service, cleared_at, cleared_action)
VALUES (:service, :now, (SELECT coalesce(max(id), 0) FROM cooldown_actions))
ON CONFLICT (service) DO UPDATE SET cleared_at = excluded.cleared_at, cleared_action = excluded.cleared_action;

-- last_run --
-- When the newest session started.
SELECT started_at FROM sessions WHERE id > 0 ORDER BY id DESC LIMIT 1;
