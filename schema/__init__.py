"""Declares: nouns and their states, settings, SQL. Reads nothing but its own text; imported by every other package."""
