-- Carries a database of the Go program (schema version 7) forward. Runs between two halves, in one transaction with
-- both: its tables were renamed to go_<name>, and 0001_initial made ours. `utc(text)` gives any of its two time formats
-- in ours; NULL and unreadable text become NULL.

INSERT INTO sessions (id, tier, model, prompt_file, prompt_text, status, trigger, started_at, ended_at, exit_code, reason,
                      log_file, context, response, summary, cost_usd, num_turns, duration_ms, parent_session_id)
SELECT id, min(max(tier, 1), 3), model, prompt_file, prompt_text,
       CASE WHEN status IN ('completed', 'failed', 'timed_out', 'stopped', 'escalated') THEN status ELSE 'interrupted' END,
       CASE WHEN trigger IN ('scheduled', 'manual', 'api', 'alert', 'escalation') THEN trigger ELSE 'manual' END,
       coalesce(utc(started_at), '1970-01-01T00:00:00.000Z'), coalesce(utc(ended_at), utc(started_at)), exit_code,
       CASE WHEN status IN ('completed', 'failed', 'timed_out', 'stopped', 'escalated') THEN NULL
            ELSE 'was "' || status || '" when the database was carried forward' END,
       log_file, context, response, summary, cost_usd, num_turns, duration_ms,
       CASE WHEN parent_session_id IN (SELECT id FROM go_sessions) THEN parent_session_id END
FROM go_sessions ORDER BY id;

INSERT INTO health_checks (id, session_id, service, check_type, status, response_time_ms, error_detail, checked_at)
SELECT id, CASE WHEN session_id IN (SELECT id FROM go_sessions) THEN session_id END, service, check_type, status,
       response_time_ms, error_detail, coalesce(utc(checked_at), '1970-01-01T00:00:00.000Z')
FROM go_health_checks;

INSERT INTO cooldown_actions (id, service, action_type, timestamp, success, tier, error, session_id)
SELECT id, service, action_type, coalesce(utc(timestamp), '1970-01-01T00:00:00.000Z'), success, tier, error,
       CASE WHEN session_id IN (SELECT id FROM go_sessions) THEN session_id END
FROM go_cooldown_actions;

INSERT INTO service_health_streak (service, consecutive_healthy, last_checked_at)
SELECT service, consecutive_healthy, utc(last_checked_at) FROM go_service_health_streak;

-- A service is listed by its streak; there, it need not have one.
INSERT INTO service_health_streak (service, consecutive_healthy, last_checked_at)
SELECT service, 0, max(checked_at) FROM health_checks
WHERE service NOT IN (SELECT service FROM service_health_streak) GROUP BY service;

INSERT INTO config (key, value, updated_at)
SELECT key, value, coalesce(utc(updated_at), '1970-01-01T00:00:00.000Z') FROM go_config;

INSERT INTO events (id, session_id, cli_session_id, level, service, message, created_at)
SELECT id, CASE WHEN typeof(session_id) = 'integer' AND session_id IN (SELECT id FROM go_sessions) THEN session_id END,
       CASE WHEN typeof(session_id) = 'text' THEN session_id END,
       level, service, message, coalesce(utc(created_at), '1970-01-01T00:00:00.000Z')
FROM go_events;

INSERT INTO memories (id, service, category, observation, confidence, active, created_at, updated_at, session_id, tier)
SELECT id, service, category, observation, confidence, active, coalesce(utc(created_at), '1970-01-01T00:00:00.000Z'),
       coalesce(utc(updated_at), utc(created_at), '1970-01-01T00:00:00.000Z'),
       CASE WHEN session_id IN (SELECT id FROM go_sessions) THEN session_id END, coalesce(tier, 1)
FROM go_memories;
