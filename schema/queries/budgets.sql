-- spent --
-- Dollars spent, tier by tier, by sessions that started at or after a time; of those that run, what is known so far.
SELECT total(CASE tier WHEN 1 THEN usd END) AS tier1, total(CASE tier WHEN 2 THEN usd END) AS tier2,
       total(CASE tier WHEN 3 THEN usd END) AS tier3
FROM (SELECT tier, CASE status WHEN 'running' THEN max(coalesce(cost_usd, 0.0), coalesce(estimated_usd, 0.0))
                               ELSE coalesce(cost_usd, estimated_usd, 0.0) END AS usd
      FROM sessions WHERE started_at >= :since);

-- warn --
-- Notes that a warning is given; changes nothing where it was given before.
INSERT INTO budget_warnings (day, scope, percent) VALUES (:day, :scope, :percent) ON CONFLICT DO NOTHING;

-- forget --
-- Housekeeping.
DELETE FROM budget_warnings WHERE day < :before;
