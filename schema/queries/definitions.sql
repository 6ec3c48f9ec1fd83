-- page --
-- Services after an id, whole.
SELECT id, name, url, kind, definition, paused, owner, version, created_at, updated_at, updated_by
FROM services WHERE id > :after ORDER BY id LIMIT :limit;

-- one --
-- One service, whole.
SELECT id, name, url, kind, definition, paused, owner, version, created_at, updated_at, updated_by
FROM services WHERE id = :id;

-- by_name --
-- A service by its name.
SELECT id, name, url, kind, definition, paused, owner, version, created_at, updated_at, updated_by
FROM services WHERE name = :name;

-- add --
-- A service that is new.
INSERT INTO services (name, url, kind, definition, group_name, paused, owner, token_hash, created_at, updated_at,
    updated_by)
VALUES (:name, :url, :kind, :definition, :group_name, :paused, :owner, :token_hash, :now, :now, :by) RETURNING id;

-- change --
-- A service as it is from now on, if it is still the version that its author saw.
UPDATE services SET name = :name, url = :url, kind = :kind, definition = :definition, group_name = :group_name,
    paused = :paused, owner = :owner, version = version + 1, updated_at = :now, updated_by = :by
WHERE id = :id AND version = :version;

-- remove --
-- A service with all that was found of it.
DELETE FROM services WHERE id = :id;

-- set_token --
-- What a heartbeat's URL ends with.
UPDATE services SET token_hash = :token_hash WHERE id = :id;

-- by_token --
-- The heartbeat whose URL ends so.
SELECT id, name, paused FROM services WHERE token_hash = :token_hash;

-- tag --
-- A tag of a service.
INSERT INTO service_tags (service_id, tag) VALUES (:service_id, :tag) ON CONFLICT DO NOTHING;

-- untag --
-- All tags of a service.
DELETE FROM service_tags WHERE service_id = :service_id;

-- need --
-- What a service depends on.
INSERT INTO service_needs (service_id, needs_id) SELECT :service_id, id FROM services WHERE name = :name
ON CONFLICT DO NOTHING;

-- tagged --
-- A tag that some service has, as it is written there.
SELECT tag FROM service_tags WHERE tag = :tag LIMIT 1;

-- unneed --
-- All that a service depends on.
DELETE FROM service_needs WHERE service_id = :service_id;

-- dependents --
-- The services that depend on one.
SELECT service_id FROM service_needs WHERE needs_id = :needs_id;

-- needed_by --
-- The services that one depends on, and how they stand.
SELECT d.name, s.status FROM service_needs n JOIN services d ON d.id = n.needs_id
    JOIN service_states s ON s.service_id = d.id WHERE n.service_id = :service_id;

-- needing --
-- The services that depend on one, and how they stand.
SELECT d.name, s.status FROM service_needs n JOIN services d ON d.id = n.service_id
    JOIN service_states s ON s.service_id = d.id WHERE n.needs_id = :needs_id;

-- names --
-- The names of all services.
SELECT name FROM services WHERE name >= '';

-- relations --
-- Which service depends on which, by their names.
SELECT d.name, o.name AS needs FROM service_needs n JOIN services d ON d.id = n.service_id
    JOIN services o ON o.id = n.needs_id;
