"""Calls that wait for a person: holding, deferring, deciding once, expiring, and the rules that people make."""
