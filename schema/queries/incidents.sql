-- open --
-- Something has broken.
INSERT INTO incidents (service_id, began_at, cause, detail) VALUES (:service_id, :began_at, :cause, :detail)
RETURNING id;

-- end --
-- It works again, or nobody looks any more.
UPDATE incidents SET ended_at = :now, ended_by = :by WHERE id = :id AND ended_at IS NULL RETURNING began_at;

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

-- start --
-- The trigger by which an incident has its session.
UPDATE incidents SET trigger_id = :trigger_id WHERE id = :id AND trigger_id IS NULL;

-- by_trigger --
-- The incident that a trigger is for.
SELECT id FROM incidents WHERE trigger_id = :trigger_id;

-- last_started --
-- The newest incident of a service that has put a trigger into the queue.
SELECT id, trigger_id FROM incidents INDEXED BY incidents_started
WHERE service_id = :service_id AND trigger_id IS NOT NULL ORDER BY id DESC LIMIT 1;

-- session_of --
-- How far the sessions of an incident have got.
SELECT (SELECT status FROM triggers WHERE id = :trigger_id) AS trigger_status,
    (SELECT count(*) FROM sessions WHERE incident_id = :id AND status IN ('running', 'awaiting_approval')) AS working,
    (SELECT count(*) FROM sessions s JOIN triggers t ON t.parent_session_id = s.id
     WHERE s.incident_id = :id AND t.kind = 'escalation' AND t.status = 'waiting') AS handed_over,
    (SELECT max(ended_at) FROM sessions WHERE incident_id = :id) AS ended_at;

-- works_on --
-- A session works on an incident.
UPDATE sessions SET incident_id = :incident_id WHERE id = :session_id;

-- of_session --
-- The incident that a session works on, if it goes on.
SELECT i.id FROM sessions s JOIN incidents i ON i.id = s.incident_id WHERE s.id = :session_id AND i.ended_at IS NULL;

-- of_name --
-- The incident that goes on of a service, by its name.
SELECT t.incident_id FROM services d JOIN service_states t ON t.service_id = d.id WHERE d.name = :service;

-- notes --
-- What people have said of an incident, the newest first.
SELECT at, author, text FROM incident_entries
WHERE incident_id = :incident_id AND kind IN ('note', 'acknowledged') ORDER BY id DESC LIMIT :limit;

-- was_told --
-- Whether people were told of an incident.
SELECT 1 FROM incident_entries WHERE incident_id = :incident_id AND kind = 'told' LIMIT 1;

-- nobody_told --
-- No channel wanted what was last written down for people: so they were not told.
UPDATE incident_entries SET kind = 'finding', text = :text
WHERE id = (SELECT max(id) FROM incident_entries WHERE incident_id = :incident_id AND kind = 'told');

-- attended --
-- Incidents that go on, after an id, and how their services stand.
SELECT i.id, i.service_id, i.began_at, i.reminded_at, i.acknowledged_at, i.trigger_id, d.name, d.definition,
    s.status, s.failures, s.detail, s.flapping_since, s.checked_at
FROM incidents i INDEXED BY incidents_open JOIN services d ON d.id = i.service_id
    JOIN service_states s ON s.service_id = i.service_id
WHERE i.ended_at IS NULL AND i.id > :after ORDER BY i.id LIMIT :limit;

-- began_within --
-- How many incidents began within a span.
SELECT count(*) FROM incidents WHERE began_at >= :since AND began_at < :until;

-- count_open --
-- How many incidents go on.
SELECT count(*) FROM incidents INDEXED BY incidents_open WHERE ended_at IS NULL;

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

-- broken --
-- The services that have an incident which goes on, and which somebody looks after or nobody, the newest first; not those
-- of which people know: in maintenance.
SELECT i.id, d.name AS service, i.began_at, i.detail, i.acknowledged_by
FROM incidents i INDEXED BY incidents_open JOIN services d ON d.id = i.service_id
    JOIN service_states s ON s.service_id = i.service_id
WHERE i.ended_at IS NULL AND s.status <> 'maintenance' AND (i.acknowledged_at IS NOT NULL) = :acknowledged
ORDER BY i.id DESC LIMIT :limit;
