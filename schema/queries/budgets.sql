-- spent --
-- Dollars spent by each tier's sessions that started at or after a time; of those that run, what is known so far.
SELECT tier, sum(max(coalesce(cost_usd, 0.0), coalesce(estimated_usd, 0.0))) AS usd
FROM sessions WHERE started_at >= :since GROUP BY +tier;

-- warn --
-- Notes that a warning is given; changes nothing where it was given before.
INSERT INTO budget_warnings (day, scope, percent) VALUES (:day, :scope, :percent) ON CONFLICT DO NOTHING;

-- forget --
-- Housekeeping.
DELETE FROM budget_warnings WHERE day < :before;
