"""Keeping house: what is old is removed, the database is copied, settings and memories are taken along."""
