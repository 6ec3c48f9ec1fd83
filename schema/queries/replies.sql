-- by_id --
-- The stored reply to a request that was answered before.
SELECT reply FROM replies WHERE request_id = :request_id;

-- insert --
-- Stores a reply with the change that it reports.
INSERT INTO replies (request_id, reply, created_at) VALUES (:request_id, :reply, :created_at);

-- delete_old --
-- Housekeeping.
DELETE FROM replies WHERE created_at <= :before;
