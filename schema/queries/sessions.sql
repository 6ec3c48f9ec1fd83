-- insert --
-- A session that is about to start. The index on active tiers refuses a second one of the same tier.
INSERT INTO sessions (tier, model, prompt_file, prompt_text, status, trigger, requested_by, started_at, log_file, run_id,
                      cli_session_id, cli_version, context, parent_session_id, chain_id, dry_run)
VALUES (:tier, :model, :prompt_file, :prompt_text, 'running', :trigger, :requested_by, :started_at, :log_file, :run_id,
        :cli_session_id, :cli_version, :context, :parent_session_id, :chain_id, :dry_run)
RETURNING id;

-- progress --
-- What the lines up to a new offset meant; only forward, and only from the offset that they were read at. Cost, turns
-- and duration are told by run, and a resumed session has had others before.
UPDATE sessions SET log_offset = :offset, lines = lines + :lines, model_id = coalesce(:model_id, model_id),
       cli_version = coalesce(:cli_version, cli_version), servers = coalesce(:servers, servers),
       response = coalesce(:response, response), structured = coalesce(:structured, structured),
       cost_usd = coalesce(cost_before + :cost_usd, cost_usd), num_turns = coalesce(turns_before + :num_turns, num_turns),
       duration_ms = coalesce(duration_before + :duration_ms, duration_ms),
       usage = coalesce(:usage, usage), estimated_usd = coalesce(:estimated_usd, estimated_usd),
       result = coalesce(:result, result), spent_at = coalesce(:spent_at, spent_at)
WHERE id = :id AND log_offset = :from_offset;

-- finish --
-- The final state, once: only a running session can end. Where a later run of it ends without a result, what the CLI
-- told of those before is not all that it cost: the estimate is, if it is more.
UPDATE sessions SET status = :status, ended_at = :ended_at, exit_code = :exit_code, reason = :reason,
       duration_ms = coalesce(duration_ms, :duration_ms),
       cost_usd = CASE WHEN result IS NULL AND estimated_usd > cost_usd AND :status <> 'awaiting_approval' THEN NULL
                       ELSE cost_usd END
WHERE id = :id AND status = 'running';

-- resume --
-- A session that waited for a person runs again; what it spent so far is kept apart. Its log may lie elsewhere by now.
UPDATE sessions SET status = :status, run_id = :run_id, reason = NULL, ended_at = NULL, exit_code = NULL, result = NULL,
       log_file = :log_file, log_offset = :log_offset, lines = CASE :log_offset WHEN 0 THEN 0 ELSE lines END,
       spent_at = :now,
       cost_before = coalesce(cost_usd, 0), turns_before = coalesce(num_turns, 0),
       duration_before = coalesce(duration_ms, 0)
WHERE id = :id AND status = 'awaiting_approval';

-- stop_waiting --
-- Ends a session that waits for a person.
UPDATE sessions SET status = :status, ended_at = :ended_at, reason = :reason
WHERE id = :id AND status = 'awaiting_approval';

-- hands_over --
-- A call of a session is let write handoff.json: the file is its own from now on.
UPDATE sessions SET handoff_at = coalesce(handoff_at, :now) WHERE id = :id;

-- handing_over --
-- Another session that handoff.json belongs to: one that has written it, and is not over.
SELECT id FROM sessions
WHERE status IN ('running', 'awaiting_approval') AND handoff_at IS NOT NULL AND id <> :id LIMIT 1;

-- running_in_chain --
-- The session of a chain that runs.
SELECT id FROM sessions WHERE status = 'running' AND (id = :chain OR chain_id = :chain);

-- chain --
-- All sessions of a chain, in the order in which they ran.
SELECT * FROM sessions WHERE id = :chain
UNION ALL SELECT * FROM (SELECT * FROM sessions WHERE chain_id = :chain ORDER BY id);

-- running --
-- All that should be running, for adoption and for the busy check.
SELECT * FROM sessions WHERE status = 'running' ORDER BY id;

-- running_of_tier --
-- The session that keeps a tier busy.
SELECT * FROM sessions WHERE status = 'running' AND tier = :tier;

-- by_id --
-- One session.
SELECT * FROM sessions WHERE id = :id;

-- by_run --
-- The session that a run directory belongs to.
SELECT * FROM sessions WHERE run_id = :run_id;

-- page --
-- A page of sessions, newest first, below an id.
SELECT * FROM sessions WHERE id < :before ORDER BY id DESC LIMIT :limit;

-- page_after --
-- The page before a page: the oldest above an id, oldest first.
SELECT * FROM sessions WHERE id > :after ORDER BY id LIMIT :limit;

-- match_status --
-- Sessions of one status that match others of the filters (NULL: any), newest first, among the ids from a floor up to
-- below an id.
SELECT * FROM sessions
WHERE status = :status AND id < :before AND id >= :floor
  AND (:tier IS NULL OR tier = :tier) AND (:trigger IS NULL OR trigger = :trigger)
ORDER BY id DESC LIMIT :limit;

-- match_tier --
-- The same of one tier and one trigger.
SELECT * FROM sessions
WHERE tier = :tier AND id < :before AND id >= :floor AND trigger = :trigger
ORDER BY id DESC LIMIT :limit;

-- page_by_status --
-- A page of sessions of one status.
SELECT * FROM sessions WHERE status = :status AND id < :before ORDER BY id DESC LIMIT :limit;

-- page_by_tier --
-- A page of sessions of one tier.
SELECT * FROM sessions WHERE tier = :tier AND id < :before ORDER BY id DESC LIMIT :limit;

-- page_by_trigger --
-- A page of sessions of one trigger.
SELECT * FROM sessions WHERE trigger = :trigger AND id < :before ORDER BY id DESC LIMIT :limit;

-- last_ended --
-- The last session that is over, for the schedule.
SELECT * FROM sessions WHERE status <> 'running' ORDER BY id DESC LIMIT 1;

-- spent_since --
-- Dollars spent by sessions that started at or after a time.
SELECT coalesce(sum(cost_usd), 0.0) FROM sessions WHERE started_at >= :since;

-- count_by_status --
-- How many sessions there are of each status, for metrics.
SELECT status, count(*) FROM sessions GROUP BY status;

-- page_by_status_after --
-- The page before a page of sessions of one status, oldest first.
SELECT * FROM sessions WHERE status = :status AND id > :after ORDER BY id LIMIT :limit;

-- page_by_tier_after --
-- The page before a page of sessions of one tier, oldest first.
SELECT * FROM sessions WHERE tier = :tier AND id > :after ORDER BY id LIMIT :limit;

-- page_by_trigger_after --
-- The page before a page of sessions of one trigger, oldest first.
SELECT * FROM sessions WHERE trigger = :trigger AND id > :after ORDER BY id LIMIT :limit;

-- search --
-- Sessions that match several filters (NULL: any), newest first, among the ids from a floor up to below an id.
SELECT * FROM sessions
WHERE id < :before AND id >= :floor
  AND (:status IS NULL OR status = :status) AND (:tier IS NULL OR tier = :tier)
  AND (:trigger IS NULL OR trigger = :trigger)
  AND (:words = '' OR instr(lower(coalesce(prompt_text, prompt_file)), lower(:words)) > 0)
ORDER BY id DESC LIMIT :limit;

-- search_after --
-- The page before a page of such sessions, oldest first, among the ids above an id up to a ceiling.
SELECT * FROM sessions
WHERE id > :after AND id <= :ceiling
  AND (:status IS NULL OR status = :status) AND (:tier IS NULL OR tier = :tier)
  AND (:trigger IS NULL OR trigger = :trigger)
  AND (:words = '' OR instr(lower(coalesce(prompt_text, prompt_file)), lower(:words)) > 0)
ORDER BY id LIMIT :limit;

-- newest_id --
-- The highest id; NULL without sessions.
SELECT max(id) FROM sessions;

-- today --
-- Sessions that started at or after a time: how many, and the dollars that they spent.
SELECT count(*) AS sessions, coalesce(sum(cost_usd), 0.0) AS spent FROM sessions WHERE started_at >= :since;
