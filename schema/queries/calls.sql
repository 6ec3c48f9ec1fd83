-- insert --
-- A tool call that the hook asked about, with its verdict.
INSERT INTO calls (session_id, run_id, tool_use_id, tool, input, input_hash, decision, rule, reason, found, asked_at)
VALUES (:session_id, :run_id, :tool_use_id, :tool, :input, :input_hash, :decision, :rule, :reason, :found, :now);

-- by_call --
-- What was said when this call was asked about before.
SELECT * FROM calls WHERE session_id = :session_id AND tool_use_id = :tool_use_id;

-- count --
-- How many calls a session has asked about.
SELECT count(*) FROM calls WHERE session_id = :session_id;

-- count_alike --
-- How often a session has made the very same call.
SELECT count(*) FROM calls WHERE session_id = :session_id AND input_hash = :input_hash;

-- of_session --
-- The calls of a session in no order, without what was in them.
SELECT tool, decision, rule, asked_at FROM calls WHERE session_id = :session_id LIMIT :limit;
