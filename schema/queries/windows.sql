-- all --
-- Maintenance windows, as many as there may be.
SELECT id, title, definition, owner, created_at, created_by FROM maintenance_windows WHERE id > 0 ORDER BY id LIMIT :limit;

-- one --
-- One maintenance window.
SELECT id, title, definition, owner, created_at, created_by FROM maintenance_windows WHERE id = :id;

-- add --
-- A maintenance window.
INSERT INTO maintenance_windows (title, definition, created_at, created_by) VALUES (:title, :definition, :now, :by)
RETURNING id;

-- change --
-- A maintenance window is for others from now on, or for one that has another name.
UPDATE maintenance_windows SET definition = :definition WHERE id = :id;

-- remove --
-- A maintenance window is over, or taken back.
DELETE FROM maintenance_windows WHERE id = :id;
