-- insert --
-- A call that waits for a person from now on.
INSERT INTO approvals (session_id, tool_use_id, tier, tool, input, input_hash, rule, reason, found, words, status,
                       created_at, expires_at)
VALUES (:session_id, :tool_use_id, :tier, :tool, :input, :input_hash, :rule, :reason, :found, :words, 'waiting',
        :now, :expires_at)
RETURNING id;

-- by_id --
-- One approval.
SELECT * FROM approvals WHERE id = :id;

-- by_call --
-- The approval of a call.
SELECT * FROM approvals WHERE session_id = :session_id AND tool_use_id = :tool_use_id;

-- decide --
-- A person's decision, once: only a waiting approval that has not expired can be decided.
UPDATE approvals SET status = :status, decided_at = :now, decided_by = :by, answer = :answer
WHERE id = :id AND status = 'waiting' AND expires_at > :now
RETURNING *;

-- use --
-- Lets an approved call through, once.
UPDATE approvals SET status = 'used', used_at = :now, used_run = :run_id WHERE id = :id AND status = 'approved';

-- cancel --
-- A call that will not run any more, whoever decides; the answer says why.
UPDATE approvals SET status = 'cancelled', decided_at = coalesce(decided_at, :now), answer = :answer
WHERE id = :id AND status IN ('waiting', 'approved');

-- cancel_of_session --
-- The calls of a session that has ended and will not be resumed.
UPDATE approvals SET status = 'cancelled', decided_at = coalesce(decided_at, :now), answer = :answer
WHERE session_id = :session_id AND status IN ('waiting', 'approved')
RETURNING *;

-- any_open --
-- Whether a session has a call that waits, or that was approved and has not run.
SELECT EXISTS (SELECT 1 FROM approvals WHERE session_id = :session_id AND status IN ('waiting', 'approved'));

-- cancel_given_up --
-- A call that has its result, whatever anybody decides.
UPDATE approvals SET status = 'cancelled', decided_at = coalesce(decided_at, :now), answer = :answer
WHERE session_id = :session_id AND tool_use_id = :tool_use_id AND status IN ('waiting', 'approved')
RETURNING *;

-- expire --
-- The calls that waited too long, which counts as a denial.
UPDATE approvals SET status = 'expired', decided_at = :now, answer = :answer
WHERE status = 'waiting' AND expires_at <= :now
RETURNING *;

-- defer --
-- The run that asked is ended, so that its call can wait.
UPDATE approvals SET deferred_run = :run_id WHERE id = :id AND status = 'waiting';

-- deferred_in --
-- The call for which a run is about to end.
SELECT * FROM approvals WHERE session_id = :session_id AND deferred_run = :run_id
ORDER BY id DESC LIMIT 1;

-- next_expiry --
-- When the next waiting call expires; NULL if none waits.
SELECT min(expires_at) FROM approvals WHERE status = 'waiting';

-- count_waiting --
-- How many calls wait for a person.
SELECT count(*) FROM approvals WHERE status = 'waiting';

-- waiting --
-- Calls that wait for a person, the one that expires first at the top.
SELECT * FROM approvals WHERE status = 'waiting' ORDER BY expires_at LIMIT :limit;

-- page --
-- A page of approvals, newest first, below an id.
SELECT * FROM approvals WHERE id < :before ORDER BY id DESC LIMIT :limit;

-- page_by_status --
-- A page of approvals of one status, newest first, below an id.
SELECT * FROM approvals WHERE id < :before AND +status = :status ORDER BY id DESC LIMIT :limit;

-- add_rule --
-- A standing rule of a person.
INSERT INTO approval_rules (decision, tool, pattern, host, tier, reason, created_at, created_by, expires_at)
VALUES (:decision, :tool, :pattern, :host, :tier, :reason, :now, :by, :expires_at)
RETURNING *;

-- rule --
-- One standing rule.
SELECT * FROM approval_rules WHERE id = :id;

-- active_rules --
-- The standing rules for a tool that hold now, oldest first.
SELECT * FROM approval_rules
WHERE tool = :tool AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > :now) ORDER BY id;

-- rules --
-- The newest standing rules; without `all` only those that hold now.
SELECT * FROM approval_rules
WHERE id < :before AND (:every OR (revoked_at IS NULL AND (expires_at IS NULL OR expires_at > :now)))
ORDER BY id DESC LIMIT :limit;

-- revoke_rule --
-- Ends a standing rule, once.
UPDATE approval_rules SET revoked_at = :now, revoked_by = :by WHERE id = :id AND revoked_at IS NULL
RETURNING *;
