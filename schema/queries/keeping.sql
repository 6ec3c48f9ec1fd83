-- chore --
-- When a daily work was done last; NULL if never.
SELECT done_at FROM chores WHERE name = :name;

-- did --
-- Notes that a daily work is done.
INSERT INTO chores (name, done_at) VALUES (:name, :at) ON CONFLICT (name) DO UPDATE SET done_at = excluded.done_at;

-- count_events --
-- Events before a time: how many, and the bytes of their texts.
SELECT count(*) AS "rows", coalesce(sum(length(message)), 0) AS bytes FROM events WHERE created_at < :before;

-- delete_events --
-- Some of them.
DELETE FROM events WHERE id IN (SELECT id FROM events WHERE created_at < :before ORDER BY created_at LIMIT :limit);

-- count_checks --
-- Health checks before a time.
SELECT count(*) AS "rows", coalesce(sum(length(error_detail)), 0) AS bytes FROM health_checks WHERE checked_at < :before;

-- delete_checks --
-- Some of them.
DELETE FROM health_checks WHERE id IN
    (SELECT id FROM health_checks WHERE checked_at < :before ORDER BY checked_at LIMIT :limit);

-- count_triggers --
-- Triggers that wait no more and changed last before a time, but for those of sessions that are open.
SELECT count(*) AS "rows", coalesce(sum(length(prompt)), 0) AS bytes FROM triggers
WHERE status <> 'waiting' AND updated_at < :before
  AND NOT EXISTS (SELECT 1 FROM sessions WHERE sessions.id IN (triggers.session_id, triggers.parent_session_id)
                  AND sessions.status IN ('running', 'awaiting_approval'));

-- delete_triggers --
-- Some of them.
DELETE FROM triggers WHERE id IN (
    SELECT id FROM triggers
    WHERE status <> 'waiting' AND updated_at < :before
      AND NOT EXISTS (SELECT 1 FROM sessions WHERE sessions.id IN (triggers.session_id, triggers.parent_session_id)
                      AND sessions.status IN ('running', 'awaiting_approval'))
    ORDER BY updated_at LIMIT :limit);

-- count_notifications --
-- Notifications of before a time that no channel has to send any more.
SELECT count(*) AS "rows", coalesce(sum(length(title) + length(body)), 0) AS bytes FROM notifications
WHERE created_at < :before AND routed_at IS NOT NULL AND NOT EXISTS (
    SELECT 1 FROM deliveries d
    WHERE d.notification_id = notifications.id AND d.status IN ('pending', 'sending', 'retrying'));

-- delete_notifications --
-- Some of them, with their deliveries.
DELETE FROM notifications WHERE id IN (
    SELECT id FROM notifications
    WHERE created_at < :before AND routed_at IS NOT NULL AND NOT EXISTS (
        SELECT 1 FROM deliveries d
        WHERE d.notification_id = notifications.id AND d.status IN ('pending', 'sending', 'retrying'))
    ORDER BY created_at LIMIT :limit);

-- count_replies --
-- Stored replies before a time.
SELECT count(*) AS "rows", coalesce(sum(length(reply)), 0) AS bytes FROM replies WHERE created_at < :before;

-- delete_replies --
-- Some of them.
DELETE FROM replies WHERE request_id IN
    (SELECT request_id FROM replies WHERE created_at < :before ORDER BY created_at LIMIT :limit);

-- count_sign_ins --
-- Sign-ins that expired before a time.
SELECT count(*) AS "rows", 0 AS bytes FROM sign_ins WHERE expires_at < :before;

-- delete_sign_ins --
-- Some of them.
DELETE FROM sign_ins WHERE token_hash IN
    (SELECT token_hash FROM sign_ins WHERE expires_at < :before ORDER BY expires_at LIMIT :limit);

-- count_failures --
-- Sign-ins that failed before a time.
SELECT count(*) AS "rows", 0 AS bytes FROM sign_in_failures WHERE failed_at < :before;

-- delete_failures --
-- Some of them.
DELETE FROM sign_in_failures WHERE id IN
    (SELECT id FROM sign_in_failures WHERE failed_at < :before ORDER BY failed_at LIMIT :limit);

-- count_setup_links --
-- Setup links that expired before a time.
SELECT count(*) AS "rows", 0 AS bytes FROM setup_links WHERE expires_at < :before;

-- delete_setup_links --
-- Some of them.
DELETE FROM setup_links WHERE token_hash IN
    (SELECT token_hash FROM setup_links WHERE expires_at < :before ORDER BY expires_at LIMIT :limit);

-- old_chains --
-- Chains whose sessions all ended before a time, by their first session; not those where something still waits.
SELECT id, ended_at FROM sessions INDEXED BY sessions_to_empty
WHERE emptied_at IS NULL AND chain_id IS NULL AND ended_at < :before
  AND status NOT IN ('running', 'awaiting_approval')
  AND NOT EXISTS (SELECT 1 FROM sessions s WHERE s.chain_id = sessions.id
                  AND (s.status IN ('running', 'awaiting_approval') OR s.ended_at >= :before OR s.ended_at IS NULL))
  AND NOT EXISTS (SELECT 1 FROM triggers t WHERE t.status = 'waiting'
                  AND (t.parent_session_id = sessions.id OR t.parent_session_id IN
                       (SELECT id FROM sessions s WHERE s.chain_id = sessions.id)))
ORDER BY ended_at LIMIT :limit;

-- members --
-- The sessions of a chain, the last first.
SELECT * FROM (
    SELECT id, log_file, coalesce(length(prompt_text), 0) + coalesce(length(context), 0)
        + coalesce(length(response), 0) + coalesce(length(structured), 0) + coalesce(length(servers), 0) AS bytes
    FROM sessions WHERE chain_id = :id ORDER BY id DESC)
UNION ALL
SELECT id, log_file, coalesce(length(prompt_text), 0) + coalesce(length(context), 0)
    + coalesce(length(response), 0) + coalesce(length(structured), 0) + coalesce(length(servers), 0)
FROM sessions WHERE id = :id;

-- forget_calls --
-- The judged calls of a session.
DELETE FROM calls WHERE session_id = :id;

-- forget_approvals --
-- The approvals of a session, which is over.
DELETE FROM approvals WHERE session_id = :id;

-- forget_said --
-- What a session has said.
DELETE FROM said WHERE session_id = :id;

-- forget_triggers --
-- What started a session, or resumed it.
DELETE FROM triggers WHERE session_id = :id AND status <> 'waiting';

-- forget_handovers --
-- By what a session handed over.
DELETE FROM triggers WHERE parent_session_id = :id AND status <> 'waiting';

-- audited --
-- Whether the audit log speaks of a session.
SELECT EXISTS (SELECT 1 FROM audit WHERE session_id = :id);

-- orphan_events --
-- Events outlive their session.
UPDATE events SET session_id = NULL WHERE session_id = :id;

-- orphan_checks --
-- So do health checks.
UPDATE health_checks SET session_id = NULL WHERE session_id = :id;

-- orphan_actions --
-- So do restarts and redeployments.
UPDATE cooldown_actions SET session_id = NULL WHERE session_id = :id;

-- orphan_memories --
-- So do memories.
UPDATE memories SET session_id = NULL WHERE session_id = :id;

-- delete_session --
-- A session to which nothing refers any more.
DELETE FROM sessions WHERE id = :id;

-- empty_session --
-- A session to which others refer: its texts go; what it was, when, how it ended and what it cost stays.
UPDATE sessions SET prompt_text = NULL, context = NULL, response = NULL, structured = NULL, summary = NULL, servers = NULL,
       result = NULL, emptied_at = :at, log_removed_at = coalesce(log_removed_at, :at)
WHERE id = :id;

-- logs --
-- Sessions above an id that are over and have a log.
SELECT id, log_file, ended_at FROM sessions INDEXED BY sessions_with_log
WHERE id > :after AND log_removed_at IS NULL AND log_file IS NOT NULL
  AND status NOT IN ('running', 'awaiting_approval') AND ended_at IS NOT NULL
ORDER BY id LIMIT :limit;

-- log_removed --
-- The log of a session is gone.
UPDATE sessions SET log_removed_at = :at WHERE id = :id AND log_removed_at IS NULL;

-- open --
-- Sessions that are not over, with what of theirs must stay.
SELECT log_file, run_id, cli_session_id FROM sessions WHERE status IN ('running', 'awaiting_approval');

-- overrides --
-- Every override with its setting's name, for the export.
SELECT key, value FROM config WHERE key > '' ORDER BY key;

-- memories --
-- Memories above an id, for the export.
SELECT * FROM memories WHERE id > :after ORDER BY id LIMIT :limit;

-- same_memory --
-- Memories with an observation, of one service (NULL: of none) and category.
SELECT * FROM memories WHERE service IS :service AND category = :category AND observation = :observation ORDER BY id;

-- step --
-- The last step of the schema that was taken.
SELECT max(number) FROM migrations;

-- space --
-- Bytes of the database: in use, and free within its file; the size of a page; whether free pages can be given back (2).
SELECT (page_count - freelist_count) * page_size AS live, freelist_count * page_size AS free, page_size, auto_vacuum
FROM pragma_page_count(), pragma_freelist_count(), pragma_page_size(), pragma_auto_vacuum();

-- trees --
-- The bytes of each table and each index, with the table that it belongs to. Reads the whole file.
SELECT (SELECT tbl_name FROM sqlite_schema WHERE sqlite_schema.name = dbstat.name) AS "table", pgsize AS bytes
FROM dbstat WHERE aggregate = 1;

-- next_checks --
-- When the first health check was, from a time on.
SELECT min(checked_at) FROM health_checks WHERE checked_at >= :since;

-- next_events --
-- When the first event was, from a time on.
SELECT min(created_at) FROM events WHERE created_at >= :since;

-- next_notifications --
-- When the first notification was, from a time on.
SELECT min(created_at) FROM notifications WHERE created_at >= :since;

-- next_triggers --
-- When the first trigger that waits no more changed last, from a time on.
SELECT min(updated_at) FROM triggers WHERE status <> 'waiting' AND updated_at >= :since;

-- next_sessions --
-- When the first session of the first chain ended, from a time on.
SELECT min(ended_at) FROM sessions INDEXED BY sessions_to_empty
WHERE emptied_at IS NULL AND chain_id IS NULL AND ended_at >= :since;

-- between_checks --
-- How many health checks there are in a span.
SELECT count(*) FROM health_checks WHERE checked_at >= :since AND checked_at < :before;

-- between_events --
-- How many events.
SELECT count(*) FROM events WHERE created_at >= :since AND created_at < :before;

-- between_notifications --
-- How many notifications, whether they still wait or not.
SELECT count(*) FROM notifications WHERE created_at >= :since AND created_at < :before;

-- between_triggers --
-- How many triggers that wait no more, by their last change.
SELECT count(*) FROM triggers WHERE status <> 'waiting' AND updated_at >= :since AND updated_at < :before;
