-- What all sessions have cost, and how long they took, is read from an index of its own, not from rows with long texts.

CREATE INDEX sessions_by_cost ON sessions (cost_usd, duration_ms);
