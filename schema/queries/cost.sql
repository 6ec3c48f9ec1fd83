-- days --
-- How many sessions started on each day from one day to another, and what was spent on it, by tier, model and trigger,
-- in millionths of a dollar.
SELECT day, tier, model, trigger, sessions, estimated, unknown, micro_usd FROM cost_days
WHERE day >= :since AND day <= :until ORDER BY day;

-- total --
-- What was spent from one day to another, as millionths of a dollar, and how many sessions started.
SELECT max(coalesce(sum(micro_usd), 0), 0) AS micro_usd, coalesce(sum(sessions), 0) AS sessions FROM cost_days
WHERE day >= :since AND day <= :until;

-- chains --
-- The dearest chains that started from one day to another.
SELECT chain_id AS id, day, sessions, micro_usd FROM cost_chains
WHERE micro_usd > 0 AND day >= :since AND day <= :until ORDER BY micro_usd DESC LIMIT :limit;
