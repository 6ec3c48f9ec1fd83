"""Claude sessions: what they run, how they are followed, when they start, and how they end."""
