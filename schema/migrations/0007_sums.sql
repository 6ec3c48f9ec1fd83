-- What pages sum up, kept with each row that is written: checks by service and hour, money by day and by chain. Triggers
-- do it, whatever the code does. A migration that replaces `sessions` or `health_checks` has to make them again.

-- When the present status of a service began, as far as sessions have seen it.
ALTER TABLE service_health_streak ADD COLUMN since TEXT;
UPDATE service_health_streak SET status = (SELECT h.status FROM health_checks h
    WHERE h.service = service_health_streak.service ORDER BY h.checked_at DESC, h.id DESC LIMIT 1)
WHERE status IS NULL;
UPDATE service_health_streak SET since = (SELECT min(h.checked_at) FROM health_checks h
    WHERE h.service = service_health_streak.service
      AND h.checked_at > coalesce((SELECT max(o.checked_at) FROM health_checks o
          WHERE o.service = service_health_streak.service AND o.status <> service_health_streak.status), ''))
WHERE status IS NOT NULL;

CREATE TABLE health_hours (
    service TEXT NOT NULL,
    hour TEXT NOT NULL,                 -- as 2026-01-31T08
    checks INTEGER NOT NULL,
    healthy INTEGER NOT NULL,
    degraded INTEGER NOT NULL,
    down INTEGER NOT NULL,              -- or unreachable; what is left of `checks` said something else
    timed INTEGER NOT NULL,             -- those that told a response time
    total_ms INTEGER NOT NULL,          -- of those
    PRIMARY KEY (service, hour)
) STRICT, WITHOUT ROWID;
INSERT INTO health_hours
SELECT service, substr(checked_at, 1, 13), count(*), sum(status = 'healthy'), sum(status = 'degraded'),
       sum(status IN ('down', 'unreachable')), count(response_time_ms), coalesce(sum(response_time_ms), 0)
FROM health_checks GROUP BY 1, 2;

CREATE TRIGGER health_checks_added AFTER INSERT ON health_checks BEGIN
    INSERT INTO health_hours
    VALUES (NEW.service, substr(NEW.checked_at, 1, 13), 1, NEW.status = 'healthy', NEW.status = 'degraded',
            NEW.status IN ('down', 'unreachable'), NEW.response_time_ms IS NOT NULL, coalesce(NEW.response_time_ms, 0))
    ON CONFLICT (service, hour) DO UPDATE SET checks = checks + 1, healthy = healthy + excluded.healthy,
        degraded = degraded + excluded.degraded, down = down + excluded.down, timed = timed + excluded.timed,
        total_ms = total_ms + excluded.total_ms;
END;
CREATE TRIGGER health_checks_removed AFTER DELETE ON health_checks BEGIN
    UPDATE health_hours SET checks = checks - 1, healthy = healthy - (OLD.status = 'healthy'),
        degraded = degraded - (OLD.status = 'degraded'), down = down - (OLD.status IN ('down', 'unreachable')),
        timed = timed - (OLD.response_time_ms IS NOT NULL), total_ms = total_ms - coalesce(OLD.response_time_ms, 0)
    WHERE service = OLD.service AND hour = substr(OLD.checked_at, 1, 13);
    DELETE FROM health_hours WHERE service = OLD.service AND hour = substr(OLD.checked_at, 1, 13) AND checks = 0;
END;

-- Restarts and redeployments of one service by id, which an index on one column carries along.
CREATE INDEX cooldown_actions_of_service ON cooldown_actions (service);

-- Dollars as whole millionths, so that adding and taking away leaves nothing over. What a session cost is what budgets
-- count: of one that runs, what is known so far. A session's cost stays when housekeeping removes the session.
CREATE TABLE cost_days (
    day TEXT NOT NULL,                  -- UTC, on which the session started
    tier INTEGER NOT NULL,
    model TEXT NOT NULL,                -- the full id where the CLI told it
    trigger TEXT NOT NULL,
    sessions INTEGER NOT NULL,
    estimated INTEGER NOT NULL,         -- those of which only an estimate by list price is known
    unknown INTEGER NOT NULL,           -- those of which nothing is known
    micro_usd INTEGER NOT NULL,
    PRIMARY KEY (day, tier, model, trigger)
) STRICT, WITHOUT ROWID;
CREATE TABLE cost_chains (
    chain_id INTEGER PRIMARY KEY,       -- its first session
    day TEXT NOT NULL,                  -- on which that started
    sessions INTEGER NOT NULL,
    micro_usd INTEGER NOT NULL
) STRICT;
CREATE INDEX cost_chains_by_cost ON cost_chains (micro_usd, day);

INSERT INTO cost_days
SELECT substr(started_at, 1, 10), tier, coalesce(model_id, model), trigger, count(*),
       sum(cost_usd IS NULL AND estimated_usd IS NOT NULL), sum(cost_usd IS NULL AND estimated_usd IS NULL),
       sum(CAST(round(1000000 * CASE status
           WHEN 'running' THEN max(coalesce(cost_usd, 0.0), coalesce(estimated_usd, 0.0))
           ELSE coalesce(cost_usd, estimated_usd, 0.0) END) AS INTEGER))
FROM sessions GROUP BY 1, 2, 3, 4;
INSERT INTO cost_chains
SELECT coalesce(chain_id, id), substr(min(started_at), 1, 10), count(*),
       sum(CAST(round(1000000 * CASE status
           WHEN 'running' THEN max(coalesce(cost_usd, 0.0), coalesce(estimated_usd, 0.0))
           ELSE coalesce(cost_usd, estimated_usd, 0.0) END) AS INTEGER))
FROM sessions GROUP BY 1;

CREATE TRIGGER sessions_added AFTER INSERT ON sessions BEGIN
    INSERT INTO cost_days
    VALUES (substr(NEW.started_at, 1, 10), NEW.tier, coalesce(NEW.model_id, NEW.model), NEW.trigger, 1,
            NEW.cost_usd IS NULL AND NEW.estimated_usd IS NOT NULL, NEW.cost_usd IS NULL AND NEW.estimated_usd IS NULL,
            CAST(round(1000000 * CASE NEW.status
                WHEN 'running' THEN max(coalesce(NEW.cost_usd, 0.0), coalesce(NEW.estimated_usd, 0.0))
                ELSE coalesce(NEW.cost_usd, NEW.estimated_usd, 0.0) END) AS INTEGER))
    ON CONFLICT (day, tier, model, trigger) DO UPDATE SET sessions = sessions + 1,
        estimated = estimated + excluded.estimated, unknown = unknown + excluded.unknown,
        micro_usd = micro_usd + excluded.micro_usd;
    INSERT INTO cost_chains
    VALUES (coalesce(NEW.chain_id, NEW.id), substr(NEW.started_at, 1, 10), 1,
            CAST(round(1000000 * CASE NEW.status
                WHEN 'running' THEN max(coalesce(NEW.cost_usd, 0.0), coalesce(NEW.estimated_usd, 0.0))
                ELSE coalesce(NEW.cost_usd, NEW.estimated_usd, 0.0) END) AS INTEGER))
    ON CONFLICT (chain_id) DO UPDATE SET sessions = sessions + 1, micro_usd = micro_usd + excluded.micro_usd;
END;
-- Taken away as it was, added as it is.
CREATE TRIGGER sessions_cost_changed AFTER UPDATE ON sessions
WHEN (OLD.status, OLD.cost_usd, OLD.estimated_usd, OLD.model_id, OLD.model, OLD.tier, OLD.trigger, OLD.started_at, OLD.chain_id)
  IS NOT (NEW.status, NEW.cost_usd, NEW.estimated_usd, NEW.model_id, NEW.model, NEW.tier, NEW.trigger, NEW.started_at, NEW.chain_id)
BEGIN
    UPDATE cost_days SET sessions = sessions - 1,
        estimated = estimated - (OLD.cost_usd IS NULL AND OLD.estimated_usd IS NOT NULL),
        unknown = unknown - (OLD.cost_usd IS NULL AND OLD.estimated_usd IS NULL),
        micro_usd = micro_usd - CAST(round(1000000 * CASE OLD.status
            WHEN 'running' THEN max(coalesce(OLD.cost_usd, 0.0), coalesce(OLD.estimated_usd, 0.0))
            ELSE coalesce(OLD.cost_usd, OLD.estimated_usd, 0.0) END) AS INTEGER)
    WHERE day = substr(OLD.started_at, 1, 10) AND tier = OLD.tier AND model = coalesce(OLD.model_id, OLD.model)
      AND trigger = OLD.trigger;
    INSERT INTO cost_days
    VALUES (substr(NEW.started_at, 1, 10), NEW.tier, coalesce(NEW.model_id, NEW.model), NEW.trigger, 1,
            NEW.cost_usd IS NULL AND NEW.estimated_usd IS NOT NULL, NEW.cost_usd IS NULL AND NEW.estimated_usd IS NULL,
            CAST(round(1000000 * CASE NEW.status
                WHEN 'running' THEN max(coalesce(NEW.cost_usd, 0.0), coalesce(NEW.estimated_usd, 0.0))
                ELSE coalesce(NEW.cost_usd, NEW.estimated_usd, 0.0) END) AS INTEGER))
    ON CONFLICT (day, tier, model, trigger) DO UPDATE SET sessions = sessions + 1,
        estimated = estimated + excluded.estimated, unknown = unknown + excluded.unknown,
        micro_usd = micro_usd + excluded.micro_usd;
    DELETE FROM cost_days
    WHERE day = substr(OLD.started_at, 1, 10) AND tier = OLD.tier AND model = coalesce(OLD.model_id, OLD.model)
      AND trigger = OLD.trigger AND sessions = 0 AND micro_usd = 0;
    UPDATE cost_chains SET sessions = sessions - 1,
        micro_usd = micro_usd - CAST(round(1000000 * CASE OLD.status
            WHEN 'running' THEN max(coalesce(OLD.cost_usd, 0.0), coalesce(OLD.estimated_usd, 0.0))
            ELSE coalesce(OLD.cost_usd, OLD.estimated_usd, 0.0) END) AS INTEGER)
    WHERE chain_id = coalesce(OLD.chain_id, OLD.id);
    INSERT INTO cost_chains
    VALUES (coalesce(NEW.chain_id, NEW.id), substr(NEW.started_at, 1, 10), 1,
            CAST(round(1000000 * CASE NEW.status
                WHEN 'running' THEN max(coalesce(NEW.cost_usd, 0.0), coalesce(NEW.estimated_usd, 0.0))
                ELSE coalesce(NEW.cost_usd, NEW.estimated_usd, 0.0) END) AS INTEGER))
    ON CONFLICT (chain_id) DO UPDATE SET sessions = sessions + 1, micro_usd = micro_usd + excluded.micro_usd;
    DELETE FROM cost_chains WHERE chain_id = coalesce(OLD.chain_id, OLD.id) AND sessions = 0;
END;
-- A chain that is gone can't be opened; what the days cost stays.
CREATE TRIGGER sessions_removed AFTER DELETE ON sessions WHEN OLD.chain_id IS NULL BEGIN
    DELETE FROM cost_chains WHERE chain_id = OLD.id;
END;
