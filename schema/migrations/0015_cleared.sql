-- Counters begin anew after an action, not after a moment: two things may be in one millisecond, and a clock may be set
-- back, after which no action would have counted until it had caught up.

ALTER TABLE service_health_streak ADD COLUMN cleared_action INTEGER NOT NULL DEFAULT 0;    -- the last that counts no more
UPDATE service_health_streak SET cleared_action = (SELECT coalesce(max(a.id), 0) FROM cooldown_actions a
    WHERE a.service = service_health_streak.service AND a.timestamp <= service_health_streak.cleared_at)
WHERE cleared_at IS NOT NULL;
