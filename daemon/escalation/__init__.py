"""Whether a session hands over to a higher tier, and with what words."""
