-- days --
-- What the sessions of each day from one day to another cost, by tier, model and trigger; dollars as millionths.
SELECT day, tier, model, trigger, sessions, estimated, unknown, micro_usd FROM cost_days
WHERE day >= :since AND day <= :until ORDER BY day;

-- total --
-- What the sessions that started from one day to another cost, as millionths of a dollar, and how many there were.
SELECT coalesce(sum(micro_usd), 0) AS micro_usd, coalesce(sum(sessions), 0) AS sessions FROM cost_days
WHERE day >= :since AND day <= :until;

-- chains --
-- The dearest chains that started from one day to another.
SELECT chain_id AS id, day, sessions, micro_usd FROM cost_chains
WHERE micro_usd > 0 AND day >= :since AND day <= :until ORDER BY micro_usd DESC LIMIT :limit;
