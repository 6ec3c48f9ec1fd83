-- actions --
-- When a service's actions of a type were, in a database of the Go program that is about to be carried forward.
SELECT timestamp FROM cooldown_actions WHERE service = :service AND action_type = :action;

-- add_action --
-- Adds an action that only its cooldown.json knows.
INSERT INTO cooldown_actions (service, action_type, timestamp, success, tier, error)
VALUES (:service, :action, :timestamp, :success, :tier, :error);

-- add_streak --
-- Adds the healthy checks in a row that only its cooldown.json knows.
INSERT INTO service_health_streak (service, consecutive_healthy) VALUES (:service, :healthy)
ON CONFLICT (service) DO NOTHING;

-- unfinished --
-- Sessions that never ended there: their log is on the disk, and its name is in no row.
SELECT id, started_at FROM sessions WHERE status = 'running' AND log_file IS NULL;

-- logs_beside --
-- The logs of a session and its neighbours.
SELECT log_file FROM sessions WHERE id BETWEEN :id - 1 AND :id + 1 AND log_file IS NOT NULL;

-- name_log --
-- Gives a session the log that was found for it.
UPDATE sessions SET log_file = :log_file WHERE id = :id;
