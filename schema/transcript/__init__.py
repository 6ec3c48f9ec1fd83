"""What a session says: the stream-json lines of the `claude` CLI as typed values."""
