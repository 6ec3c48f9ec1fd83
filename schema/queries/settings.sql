-- overrides --
-- Every override, by setting name.
SELECT key, value, updated_at FROM config;

-- set --
-- Sets one override.
INSERT INTO config (key, value, updated_at) VALUES (:key, :value, :updated_at)
ON CONFLICT (key) DO UPDATE SET value = excluded.value, updated_at = excluded.updated_at;

-- reset --
-- Takes one override away.
DELETE FROM config WHERE key = :key;
