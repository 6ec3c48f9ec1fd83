"""Live updates: server-sent events of transcripts and of pages."""
