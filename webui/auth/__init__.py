"""Who asks, and whether they may: sign-in, setup, CSRF and Origin, rate limit."""
