"""The daemon itself: its status, its processes, its database."""
