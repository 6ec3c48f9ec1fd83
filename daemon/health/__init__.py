"""How services are, as sessions found them, and what that means for their cooldowns."""
