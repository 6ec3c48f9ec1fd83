-- all --
-- Status pages, as many as there may be.
SELECT * FROM status_pages WHERE id > 0 ORDER BY id LIMIT :limit;

-- one --
-- One status page.
SELECT * FROM status_pages WHERE id = :id;

-- by_slug --
-- The status page of an address.
SELECT * FROM status_pages WHERE slug = :slug;

-- chosen --
-- The services that were chosen for a status page, by name.
SELECT c.service_id AS id, d.name FROM status_page_services c JOIN services d ON d.id = c.service_id
WHERE c.page_id = :page_id;

-- add --
-- A status page that is new.
INSERT INTO status_pages (slug, title, description, published, latency, tags, groups, created_at, updated_at, updated_by)
VALUES (:slug, :title, :description, :published, :latency, :tags, :groups, :now, :now, :by) RETURNING id;

-- change --
-- A status page as it is from now on, if it is still the version that its author saw.
UPDATE status_pages SET slug = :slug, title = :title, description = :description, published = :published,
    latency = :latency, tags = :tags, groups = :groups, version = version + 1, updated_at = :now, updated_by = :by
WHERE id = :id AND version = :version;

-- remove --
-- A status page is gone.
DELETE FROM status_pages WHERE id = :id;

-- choose --
-- A service is shown on a status page.
INSERT INTO status_page_services (page_id, service_id) VALUES (:page_id, :service_id) ON CONFLICT DO NOTHING;

-- unchoose --
-- No service is chosen for a status page.
DELETE FROM status_page_services WHERE page_id = :page_id;

-- incidents --
-- The newest incidents of a service from a time on, newest first.
SELECT began_at, ended_at, acknowledged_at FROM incidents
WHERE service_id = :service_id AND (ended_at IS NULL OR ended_at >= :since) ORDER BY id DESC LIMIT :limit;
