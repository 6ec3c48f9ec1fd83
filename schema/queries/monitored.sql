-- page --
-- Services after a name, by name, and how each stands.
SELECT d.id, d.name, d.url, d.kind, d.group_name, d.paused, d.owner, d.version, s.status, s.since, s.latency_us,
    s.checked_at, s.cause, s.detail, s.incident_id, s.flapping_since, s.beats, s.certificate,
    (SELECT group_concat(tag) FROM service_tags WHERE service_id = d.id) AS tags
FROM services d JOIN service_states s ON s.service_id = d.id WHERE d.name > :after ORDER BY d.name LIMIT :limit;

-- stands --
-- How each service stands, after a name, by name.
SELECT d.name, d.kind, s.status, s.latency_us, s.checked_at, s.certificate
FROM services d JOIN service_states s ON s.service_id = d.id WHERE d.name > :after ORDER BY d.name LIMIT :limit;

-- one --
-- One service, and how it stands.
SELECT d.id, d.name, d.url, d.kind, d.group_name, d.paused, d.owner, d.version, s.status, s.since, s.latency_us,
    s.checked_at, s.cause, s.detail, s.incident_id, s.flapping_since, s.beats, s.certificate,
    (SELECT group_concat(tag) FROM service_tags WHERE service_id = d.id) AS tags
FROM services d JOIN service_states s ON s.service_id = d.id WHERE d.id = :id;

-- counts --
-- How many services have each status.
SELECT status, count(*) AS count FROM service_states GROUP BY status;
