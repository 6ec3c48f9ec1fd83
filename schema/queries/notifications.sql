-- add --
-- Something that people are to be told; nothing comes back where the same key is there already.
INSERT INTO notifications (key, kind, level, title, body, link, session_id, approval_id, channel, channels, told_as,
    created_at)
VALUES (:key, :kind, :level, :title, :body, :link, :session_id, :approval_id, :channel, :channels, :told_as, :created_at)
ON CONFLICT (key) DO NOTHING
RETURNING id;

-- by_id --
-- One notification.
SELECT * FROM notifications WHERE id = :id;

-- by_key --
-- Whether something was told, or is about to be.
SELECT id FROM notifications WHERE key = :key;

-- unrouted --
-- What has no deliveries yet, the oldest first.
SELECT * FROM notifications WHERE routed_at IS NULL ORDER BY id LIMIT :limit;

-- route --
-- Notes that the deliveries of a notification are made.
UPDATE notifications SET routed_at = :now WHERE id = :id;

-- drop --
-- A notification that no channel wants.
DELETE FROM notifications WHERE id = :id;

-- deliver --
-- A notification's way to one channel.
INSERT INTO deliveries (notification_id, channel, status, urgent, since, next_at, changed_at)
VALUES (:notification_id, :channel, 'pending', :urgent, :now, :now, :now) ON CONFLICT DO NOTHING;

-- open --
-- What a channel still has to send, in order; with `quiet` only what quiet hours do not hold.
SELECT d.id AS delivery_id, d.status, d.attempts, d.since, d.next_at, n.*
FROM deliveries d JOIN notifications n ON n.id = d.notification_id
WHERE d.channel = :channel AND d.status IN ('pending', 'sending', 'retrying') AND (d.urgent = 1 OR :quiet = 0)
ORDER BY d.notification_id LIMIT :limit;

-- open_titles --
-- The same without the texts, for a message of many.
SELECT d.id AS delivery_id, d.status, d.attempts, d.since, d.next_at, n.id, n.level, n.title
FROM deliveries d JOIN notifications n ON n.id = d.notification_id
WHERE d.channel = :channel AND d.status IN ('pending', 'sending', 'retrying') AND (d.urgent = 1 OR :quiet = 0)
ORDER BY d.notification_id LIMIT :limit;

-- open_count --
-- How many that are.
SELECT count(*) FROM deliveries
WHERE channel = :channel AND status IN ('pending', 'sending', 'retrying') AND (urgent = 1 OR :quiet = 0);

-- open_head --
-- What a channel sends next, whatever the hour.
SELECT * FROM deliveries
WHERE channel = :channel AND status IN ('pending', 'sending', 'retrying') ORDER BY notification_id LIMIT 1;

-- open_channels --
-- The channels that have something to send, and since when.
SELECT channel, min(since) AS since FROM deliveries
WHERE status IN ('pending', 'sending', 'retrying') GROUP BY channel;

-- failing --
-- The channels at which an attempt has failed that is to be made again: how much waits for each, and why.
SELECT channel, count(*) AS waiting, max(error) AS error FROM deliveries
WHERE status IN ('pending', 'sending', 'retrying') GROUP BY channel HAVING max(error) IS NOT NULL ORDER BY channel;

-- move --
-- A delivery's next status, once: only from the one that it was known to have.
UPDATE deliveries SET status = :status, attempts = :attempts, next_at = :next_at, error = :error, changed_at = :now,
       together = :together
WHERE id = :id AND status = :was;

-- recover --
-- What a worker that was killed was sending is sent again.
UPDATE deliveries SET status = 'retrying', next_at = :now, changed_at = :now, error = :error
WHERE channel = :channel AND status = 'sending';

-- suppress --
-- What waits for a channel that is configured no more.
UPDATE deliveries SET status = 'suppressed', changed_at = :now, error = :error
WHERE channel = :channel AND status IN ('pending', 'retrying');

-- unsent --
-- Deliveries of a channel that were given up or suppressed, the oldest first.
SELECT * FROM deliveries WHERE channel = :channel AND status = :status ORDER BY changed_at;

-- revive --
-- Sends again what was given up or suppressed; the time after which it is given up begins anew.
UPDATE deliveries SET status = 'pending', attempts = 0, since = :now, next_at = :now, changed_at = :now, error = NULL
WHERE id = :id AND status = :was;

-- hasten --
-- What a channel has not taken is tried again now.
UPDATE deliveries SET next_at = :now WHERE channel = :channel AND status IN ('pending', 'sending', 'retrying');

-- count --
-- How many deliveries of a channel have a status.
SELECT count(*) FROM deliveries WHERE channel = :channel AND status = :status;

-- last --
-- The newest delivery of a channel that has a status.
SELECT * FROM deliveries WHERE channel = :channel AND status = :status ORDER BY changed_at DESC LIMIT 1;

-- page --
-- A page of notifications, newest first, below an id.
SELECT * FROM notifications WHERE id < :before AND routed_at IS NOT NULL ORDER BY id DESC LIMIT :limit;

-- deliveries --
-- The deliveries of a span of notifications.
SELECT notification_id, channel, status, attempts, since, next_at, changed_at, together, error FROM deliveries
WHERE notification_id BETWEEN :low AND :high ORDER BY notification_id, channel;

-- sessions --
-- How many sessions that started within a span have a status, and what they cost; for the digest.
SELECT count(*) AS number, total(coalesce(cost_usd, estimated_usd, 0.0)) AS dollars
FROM sessions WHERE started_at >= :since AND started_at < :until AND +status = :status;

-- events --
-- How many events of a level were said within a span.
SELECT count(*) FROM events WHERE level = :level AND created_at >= :since AND created_at < :until;

-- actions --
-- How many restarts or redeployments counted within a span.
SELECT count(*) FROM cooldown_actions WHERE timestamp >= :since AND timestamp < :until AND action_type = :action;
