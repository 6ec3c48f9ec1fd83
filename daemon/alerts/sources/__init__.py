"""What each kind of sender writes, one module each: a body to alerts, from values alone."""
