"""The queue of what asks for a session, and the schedule that is one of its sources."""
