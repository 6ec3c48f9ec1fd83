"""Settings as they stand: the environment with the overrides in the database."""
