"""What programs ask: health, readiness, metrics."""
