-- behind --
-- Services after an id, and up to where their sums are made.
SELECT service_id, rolled_to FROM service_states WHERE service_id > :after ORDER BY service_id LIMIT :limit;

-- first --
-- When the first thing was found of a service.
SELECT min(at) FROM results WHERE service_id = :service_id;

-- sum_minutes --
-- The findings of a service, summed up by the minute.
INSERT OR REPLACE INTO rollups (service_id, span, at, checks, failures, total_us, low_us, high_us)
SELECT :service_id, 60, at / 60000 * 60000, count(*), sum(beat IN ('d', 't')), coalesce(sum(latency_us), 0),
    min(latency_us), max(latency_us)
FROM results WHERE service_id = :service_id AND at >= :start AND at < :end GROUP BY at / 60000;

-- findings --
-- What an hour is made of.
SELECT beat, latency_us FROM results WHERE service_id = :service_id AND at >= :start AND at < :end;

-- hours --
-- What a day is made of.
SELECT * FROM rollups WHERE service_id = :service_id AND span = 3600 AND at >= :start AND at < :end;

-- between --
-- Sums of one span, in their order.
SELECT at, checks, failures, total_us, low_us, high_us, histogram, worked_ms, failed_ms FROM rollups
WHERE service_id = :service_id AND span = :span AND at >= :start AND at < :end ORDER BY at;

-- changes --
-- The changes of a time, and the one that held as it began.
SELECT at, status FROM service_changes
WHERE service_id = :service_id AND at < :end
  AND at >= coalesce((SELECT max(at) FROM service_changes WHERE service_id = :service_id AND at <= :start), :start)
ORDER BY at;

-- put --
-- The sums of an hour or a day.
INSERT OR REPLACE INTO rollups (service_id, span, at, checks, failures, total_us, low_us, high_us, histogram,
    worked_ms, failed_ms)
VALUES (:service_id, :span, :at, :checks, :failures, :total_us, :low_us, :high_us, :histogram, :worked_ms, :failed_ms);

-- spend --
-- How the time of an hour was spent, where its findings are gone already.
UPDATE rollups SET worked_ms = :worked_ms, failed_ms = :failed_ms
WHERE service_id = :service_id AND span = 3600 AND at = :at;

-- spent --
-- How the time of all sums of one span was spent, and which is the first and the last of them.
SELECT coalesce(sum(worked_ms), 0) AS worked, coalesce(sum(failed_ms), 0) AS failed, min(at) AS first, max(at) AS last
FROM rollups WHERE service_id = :service_id AND span = :span AND at >= :start AND at < :end;

-- rolled --
-- Up to here the sums are made.
UPDATE service_states SET rolled_to = :at WHERE service_id = :service_id;

-- forget_results --
-- Findings that are summed up and old.
DELETE FROM results WHERE service_id = :service_id AND at < :before;

-- forget --
-- Sums that are old.
DELETE FROM rollups WHERE service_id = :service_id AND span = :span AND at < :before;

-- forget_changes --
-- Changes that are old; the last of them holds still.
DELETE FROM service_changes WHERE service_id = :service_id AND at < :before
  AND at < (SELECT max(at) FROM service_changes WHERE service_id = :service_id);
