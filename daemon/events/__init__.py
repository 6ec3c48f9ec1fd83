"""What the daemon and its sessions found worth knowing: stored once, paged, told to whoever listens."""
