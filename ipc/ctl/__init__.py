"""`claudeopsctl`: a client of the worker with a command line. Starts fast, so it imports little and late."""
