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

-- page --
-- Incidents below an id, newest first.
SELECT i.id, i.service_id, d.name AS service, i.began_at, i.ended_at, i.ended_by, i.cause, i.detail, i.acknowledged_at,
    i.acknowledged_by
FROM incidents i JOIN services d ON d.id = i.service_id WHERE i.id < :before ORDER BY i.id DESC LIMIT :limit;

-- page_of --
-- Incidents of a service below an id, newest first.
SELECT i.id, i.service_id, d.name AS service, i.began_at, i.ended_at, i.ended_by, i.cause, i.detail, i.acknowledged_at,
    i.acknowledged_by
FROM incidents i JOIN services d ON d.id = i.service_id
WHERE i.service_id = :service_id AND i.id < :before ORDER BY i.id DESC LIMIT :limit;

-- going_on --
-- Incidents that go on, below an id, newest first.
SELECT i.id, i.service_id, d.name AS service, i.began_at, i.ended_at, i.ended_by, i.cause, i.detail, i.acknowledged_at,
    i.acknowledged_by
FROM incidents i INDEXED BY incidents_open JOIN services d ON d.id = i.service_id
WHERE i.ended_at IS NULL AND i.id < :before ORDER BY i.id DESC LIMIT :limit;

-- shown --
-- One incident, with its service's name.
SELECT i.id, i.service_id, d.name AS service, i.began_at, i.ended_at, i.ended_by, i.cause, i.detail, i.acknowledged_at,
    i.acknowledged_by
FROM incidents i JOIN services d ON d.id = i.service_id WHERE i.id = :id;

-- entries --
-- What happened in an incident, the first first.
SELECT at, kind, text, author, session_id FROM incident_entries WHERE incident_id = :incident_id ORDER BY id LIMIT :limit;

-- found --
-- Incidents between two ids, newest first, of some state or tag (NULL: any), each with the newest session that looked at it.
SELECT i.id, i.service_id, d.name AS service, i.began_at, i.ended_at, i.ended_by, i.cause, i.detail, i.acknowledged_at,
    i.acknowledged_by,
    (SELECT max(e.session_id) FROM incident_entries e WHERE e.incident_id = i.id) AS session_id
FROM incidents i JOIN services d ON d.id = i.service_id
WHERE i.id >= :floor AND i.id < :before
    AND (:over IS NULL OR (i.ended_at IS NOT NULL) = :over)
    AND (:tag IS NULL OR EXISTS (SELECT 1 FROM service_tags t WHERE t.tag = :tag AND t.service_id = i.service_id))
ORDER BY i.id DESC LIMIT :limit;

-- found_of --
-- The same of one service.
SELECT i.id, i.service_id, d.name AS service, i.began_at, i.ended_at, i.ended_by, i.cause, i.detail, i.acknowledged_at,
    i.acknowledged_by,
    (SELECT max(e.session_id) FROM incident_entries e WHERE e.incident_id = i.id) AS session_id
FROM incidents i JOIN services d ON d.id = i.service_id
WHERE i.service_id = :service_id AND i.id < :before
    AND (:over IS NULL OR (i.ended_at IS NOT NULL) = :over)
    AND (:tag IS NULL OR EXISTS (SELECT 1 FROM service_tags t WHERE t.tag = :tag AND t.service_id = i.service_id))
ORDER BY i.id DESC LIMIT :limit;

-- found_open --
-- The same of those that go on.
SELECT i.id, i.service_id, d.name AS service, i.began_at, i.ended_at, i.ended_by, i.cause, i.detail, i.acknowledged_at,
    i.acknowledged_by,
    (SELECT max(e.session_id) FROM incident_entries e WHERE e.incident_id = i.id) AS session_id
FROM incidents i INDEXED BY incidents_open JOIN services d ON d.id = i.service_id
WHERE i.ended_at IS NULL AND i.id < :before
    AND (:tag IS NULL OR EXISTS (SELECT 1 FROM service_tags t WHERE t.tag = :tag AND t.service_id = i.service_id))
ORDER BY i.id DESC LIMIT :limit;

-- newest --
-- The newest incident's number.
SELECT max(id) FROM incidents;

-- open_count --
-- How many go on.
SELECT count(*) FROM incidents WHERE ended_at IS NULL;

-- broken --
-- The services that have an incident which goes on, the newest first.
SELECT i.id, d.name AS service, i.began_at, i.detail, i.acknowledged_by
FROM incidents i INDEXED BY incidents_open JOIN services d ON d.id = i.service_id
WHERE i.ended_at IS NULL ORDER BY i.id DESC LIMIT :limit;
