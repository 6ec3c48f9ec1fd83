"""Names below the state directory that both the daemon and `claudeopsctl` look for."""

# Held by the daemon that works there, whatever its runtime directory; says its pid and, in the next line, that.
STATE_LOCK = "daemon.lock"
