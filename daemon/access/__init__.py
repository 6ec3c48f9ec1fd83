"""Who may use the dashboard: API tokens, people, and the proof of the audit log."""
