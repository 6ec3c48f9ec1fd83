-- begin --
-- How a service stands before it was ever probed.
INSERT INTO service_states (service_id, status, since) VALUES (:service_id, :status, :at);

-- state --
-- How a service stands, as far as the next finding has to know it.
SELECT s.status, s.since, s.failures, s.failing_since, s.incident_id, s.checked_at, s.detail, s.flapping_since, s.warned_at,
    d.version, d.paused
FROM service_states s JOIN services d ON d.id = s.service_id WHERE s.service_id = :service_id;

-- parents --
-- How the services stand that one depends on.
SELECT s.service_id, d.name, d.kind, s.status, s.checked_at, s.failures
FROM service_needs n JOIN service_states s ON s.service_id = n.needs_id JOIN services d ON d.id = n.needs_id
WHERE n.service_id = :service_id;

-- add --
-- A finding.
INSERT OR REPLACE INTO results (service_id, at, beat, latency_us, phases, detail)
VALUES (:service_id, :at, :beat, :latency_us, :phases, :detail);

-- note --
-- How a service stands after a finding that changed nothing.
UPDATE service_states SET checked_at = :at, latency_us = :latency_us, cause = :cause, detail = :detail,
    failures = :failures, failing_since = :failing_since, certificate = coalesce(:certificate, certificate),
    beats = substr(beats, -99) || :beat
WHERE service_id = :service_id;

-- become --
-- Another status.
UPDATE service_states SET status = :status, since = :since WHERE service_id = :service_id;

-- set_incident --
-- The incident that a service has, or none.
UPDATE service_states SET incident_id = :incident_id WHERE service_id = :service_id;

-- unknown_since --
-- Forgets the tries that were under way.
UPDATE service_states SET failures = 0, failing_since = NULL WHERE service_id = :service_id;

-- no_data --
-- Marks a time in which nothing was found.
UPDATE service_states SET beats = substr(beats || :marks, -100) WHERE service_id = :service_id;

-- drop_changes --
-- Takes back what was written from a time on: tries that turned out to be failures.
DELETE FROM service_changes WHERE service_id = :service_id AND at >= :since;

-- roll_again --
-- The sums from a time on have to be made again.
UPDATE service_states SET rolled_to = min(rolled_to, :since) WHERE service_id = :service_id;

-- change --
-- From a time on, a service has a status.
INSERT OR REPLACE INTO service_changes (service_id, at, status) VALUES (:service_id, :at, :status);

-- newest --
-- The newest findings of a service, before a time.
SELECT at, beat, latency_us, phases, detail FROM results
WHERE service_id = :service_id AND at < :before ORDER BY at DESC LIMIT :limit;

-- latencies --
-- The latencies of a service in a time, in µs, with commas between them; NULL without any.
SELECT group_concat(latency_us) FROM results WHERE service_id = :service_id AND at >= :start AND at < :end;

-- flap --
-- Since when a service comes and goes; NULL: it doesn't.
UPDATE service_states SET flapping_since = :at WHERE service_id = :service_id;

-- warned --
-- People were told that a service is degraded.
UPDATE service_states SET warned_at = :at WHERE service_id = :service_id;

-- heard_of --
-- The last sign of life of a heartbeat, a start that no end has followed, and when it was added, changed or resumed.
SELECT s.heard_at, s.begun_at, d.updated_at FROM service_states s JOIN services d ON d.id = s.service_id
WHERE s.service_id = :service_id;

-- unsettled --
-- What services said of themselves, or sessions of them, that has become no incident yet: they failed in a window, with
-- what they depend on, or within their retries.
SELECT d.id, d.version, d.definition, s.latency_us, s.detail FROM service_states s JOIN services d ON d.id = s.service_id
WHERE s.failures > 0 AND s.cause = 'failed' AND s.status IN ('pending', 'blocked', 'maintenance')
    AND d.kind IN ('heartbeat', 'observed') AND NOT d.paused;

-- alive --
-- When a worker is known to have been alive last: it found something, or made sums. NULL without any service.
SELECT max(max(rolled_to), coalesce(max(checked_at), 0)) FROM service_states;

-- begun --
-- A job has begun.
UPDATE service_states SET begun_at = :at WHERE service_id = :service_id;

-- heard --
-- A job has ended.
UPDATE service_states SET heard_at = :at, begun_at = NULL WHERE service_id = :service_id;

-- observed --
-- How a service stands, and the newest that a session has reported of it.
SELECT t.heard_at, t.since, t.checked_at AS found_at, t.incident_id, h.status, h.error_detail AS detail, h.checked_at, h.session_id,
    s.incident_id AS session_incident
FROM service_states t
LEFT JOIN health_checks h ON h.id = (SELECT id FROM health_checks WHERE service = :name
                                     ORDER BY checked_at DESC, id DESC LIMIT 1)
LEFT JOIN sessions s ON s.id = h.session_id
WHERE t.service_id = :service_id;
