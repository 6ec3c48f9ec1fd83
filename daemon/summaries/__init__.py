"""A few sentences on each session that is over, written after its end."""
