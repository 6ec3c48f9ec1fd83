"""The limits: what a session may do, decided by the daemon at each tool call."""
