-- spent --
-- Millionths of a dollar spent on a day, tier by tier; by sessions that run, what is known so far.
SELECT tier, sum(micro_usd) AS micro_usd FROM cost_days WHERE day = :day GROUP BY tier;

-- warn --
-- Notes that a warning is given; changes nothing where it was given before.
INSERT INTO budget_warnings (day, scope, percent) VALUES (:day, :scope, :percent) ON CONFLICT DO NOTHING;

-- forget --
-- Housekeeping.
DELETE FROM budget_warnings WHERE day < :before;
