"""What is decided of services, from values alone: conditions, schedule, status, uptime, windows."""
