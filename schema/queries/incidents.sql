-- open --
-- Something has broken.
INSERT INTO incidents (service_id, began_at, cause, detail) VALUES (:service_id, :began_at, :cause, :detail)
RETURNING id;

-- end --
-- It works again, or nobody looks any more.
UPDATE incidents SET ended_at = :now, ended_by = :by WHERE id = :id AND ended_at IS NULL;

-- one --
-- One incident.
SELECT * FROM incidents WHERE id = :id;

-- enter --
-- Something that happened in an incident.
INSERT INTO incident_entries (incident_id, at, kind, text, author, session_id)
VALUES (:incident_id, :at, :kind, :text, :author, :session_id);

-- ends --
-- When the newest incidents of a service began and ended, newest first.
SELECT began_at, ended_at FROM incidents WHERE service_id = :service_id ORDER BY id DESC LIMIT :limit;

-- acknowledge --
-- A person looks after an incident.
UPDATE incidents SET acknowledged_at = :now, acknowledged_by = :by WHERE id = :id AND acknowledged_at IS NULL;

-- remind --
-- People were told again.
UPDATE incidents SET reminded_at = :now WHERE id = :id;
