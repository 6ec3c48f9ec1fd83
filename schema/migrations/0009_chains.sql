-- What a chain rests on: a tier that is still chosen, whose handoff.json is whose, and money on the day it is spent.

-- 1: a model chooses its tier, and until then it stands in no tier's line, whatever `tier` says.
ALTER TABLE triggers ADD COLUMN choosing INTEGER NOT NULL DEFAULT 0 CHECK (choosing IN (0, 1));
DROP INDEX triggers_waiting;
CREATE INDEX triggers_waiting ON triggers (choosing, tier, priority, id) WHERE status = 'waiting';

-- When a call of it was first let write handoff.json, which is its own from then on, until it is over.
ALTER TABLE sessions ADD COLUMN handoff_at TEXT;

-- When a session last spent money, by its log: a day's budget is of what was spent on that day, and a session that a
-- person lets go on may spend on a later day than that on which it started. NULL: on that one.
ALTER TABLE sessions ADD COLUMN spent_at TEXT;

-- As before, sessions are counted on the day on which they started, under the model that they have. Money is not moved any
-- more: what a session has spent since goes to the day of `spent_at`.
DROP TRIGGER IF EXISTS sessions_cost_changed;
CREATE TRIGGER sessions_cost_changed AFTER UPDATE ON sessions
WHEN (OLD.status, OLD.cost_usd, OLD.estimated_usd, OLD.model_id, OLD.model, OLD.tier, OLD.trigger, OLD.started_at, OLD.chain_id)
  IS NOT (NEW.status, NEW.cost_usd, NEW.estimated_usd, NEW.model_id, NEW.model, NEW.tier, NEW.trigger, NEW.started_at, NEW.chain_id)
BEGIN
    UPDATE cost_days SET sessions = sessions - 1,
        estimated = estimated - (OLD.cost_usd IS NULL AND OLD.estimated_usd IS NOT NULL),
        unknown = unknown - (OLD.cost_usd IS NULL AND OLD.estimated_usd IS NULL)
    WHERE day = substr(OLD.started_at, 1, 10) AND tier = OLD.tier AND model = coalesce(OLD.model_id, OLD.model)
      AND trigger = OLD.trigger;
    INSERT INTO cost_days
    VALUES (substr(NEW.started_at, 1, 10), NEW.tier, coalesce(NEW.model_id, NEW.model), NEW.trigger, 1,
            NEW.cost_usd IS NULL AND NEW.estimated_usd IS NOT NULL, NEW.cost_usd IS NULL AND NEW.estimated_usd IS NULL, 0)
    ON CONFLICT (day, tier, model, trigger) DO UPDATE SET sessions = sessions + 1,
        estimated = estimated + excluded.estimated, unknown = unknown + excluded.unknown;
    INSERT INTO cost_days
    VALUES (substr(coalesce(NEW.spent_at, NEW.started_at), 1, 10), NEW.tier, coalesce(NEW.model_id, NEW.model), NEW.trigger,
            0, 0, 0,
            CAST(round(1000000 * CASE NEW.status
                WHEN 'running' THEN max(coalesce(NEW.cost_usd, 0.0), coalesce(NEW.estimated_usd, 0.0))
                ELSE coalesce(NEW.cost_usd, NEW.estimated_usd, 0.0) END) AS INTEGER)
          - CAST(round(1000000 * CASE OLD.status
                WHEN 'running' THEN max(coalesce(OLD.cost_usd, 0.0), coalesce(OLD.estimated_usd, 0.0))
                ELSE coalesce(OLD.cost_usd, OLD.estimated_usd, 0.0) END) AS INTEGER))
    ON CONFLICT (day, tier, model, trigger) DO UPDATE SET micro_usd = micro_usd + excluded.micro_usd;
    DELETE FROM cost_days
    WHERE sessions = 0 AND micro_usd = 0 AND ((day = substr(OLD.started_at, 1, 10) AND tier = OLD.tier
      AND model = coalesce(OLD.model_id, OLD.model) AND trigger = OLD.trigger)
      OR (day = substr(coalesce(NEW.spent_at, NEW.started_at), 1, 10) AND tier = NEW.tier
      AND model = coalesce(NEW.model_id, NEW.model) AND trigger = NEW.trigger));
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
