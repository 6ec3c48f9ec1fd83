-- by_name --
-- When a schedule is due.
SELECT boot, due_mono, due_at FROM schedules WHERE name = :name;

-- set --
-- Moves a schedule's due date.
INSERT INTO schedules (name, boot, due_mono, due_at) VALUES (:name, :boot, :due_mono, :due_at)
ON CONFLICT (name) DO UPDATE SET boot = excluded.boot, due_mono = excluded.due_mono, due_at = excluded.due_at;
