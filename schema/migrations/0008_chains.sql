-- What a chain rests on: a tier that is still chosen, whose handoff.json is whose, and money on the day it is spent.

-- 1: a model chooses its tier, and until then it stands in no tier's line, whatever `tier` says.
ALTER TABLE triggers ADD COLUMN choosing INTEGER NOT NULL DEFAULT 0 CHECK (choosing IN (0, 1));
DROP INDEX triggers_waiting;
CREATE INDEX triggers_waiting ON triggers (choosing, tier, priority, id) WHERE status = 'waiting';

-- When a call of it was first let write handoff.json, which is its own from then on, until it is over.
ALTER TABLE sessions ADD COLUMN handoff_at TEXT;
