-- seen --
-- How the newest session that told of its MCP servers found them, among the last thousand.
SELECT servers, started_at FROM sessions
WHERE id > (SELECT COALESCE(MAX(id), 0) - 1000 FROM sessions) AND servers IS NOT NULL
ORDER BY id DESC LIMIT 1;
