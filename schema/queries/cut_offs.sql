-- open --
-- The time that goes on in which this host reaches nothing.
SELECT id, began_at FROM cut_offs INDEXED BY cut_offs_open WHERE ended_at IS NULL LIMIT 1;

-- begin --
-- This host reaches nothing any more.
INSERT INTO cut_offs (began_at) VALUES (:at) RETURNING id;

-- end --
-- This host reaches something again.
UPDATE cut_offs SET ended_at = :at WHERE id = :id AND ended_at IS NULL;
