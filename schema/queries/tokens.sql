-- insert --
-- A new API token.
INSERT INTO api_tokens (name, role, scopes, token_hash, created_at, created_by, expires_at)
VALUES (:name, :role, :scopes, :token_hash, :created_at, :created_by, :expires_at) RETURNING id;

-- by_id --
-- One API token.
SELECT * FROM api_tokens WHERE id = :id;

-- live_by_name --
-- The API token of a name that is not revoked.
SELECT * FROM api_tokens WHERE name = :name AND revoked_at IS NULL;

-- by_hash --
-- The API token that a request shows, whether it counts or not.
SELECT * FROM api_tokens WHERE token_hash = :token_hash;

-- page --
-- API tokens, newest first, below an id; those that were revoked before `since` stay out of it.
SELECT * FROM api_tokens WHERE id < :before AND (revoked_at IS NULL OR revoked_at > :since) ORDER BY id DESC LIMIT :limit;

-- revoke --
-- Ends an API token; the row count says whether it still counted.
UPDATE api_tokens SET revoked_at = :now, revoked_by = :by WHERE id = :id AND revoked_at IS NULL;

-- used --
-- When and from where an API token was used last; at most once a minute.
UPDATE api_tokens SET last_used_at = :now, last_used_from = :address
WHERE id = :id AND (last_used_at IS NULL OR last_used_at < :before);
