"""Mounted repositories: what each contributes, the MCP servers of sessions, and the files that are shipped for them."""
